"""The chapters of the report page, each a function of the facts that finds its own figures and draws them."""

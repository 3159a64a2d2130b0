"""The model that reads logs of domestic non-crimes: data set, vocabulary, network, rivals, export (report, appendix 8)."""

for (const table of document.querySelectorAll("table.sortable")) {
  new Tablesort(table);
  table.dataset.live = "";
}

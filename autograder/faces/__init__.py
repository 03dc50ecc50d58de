"""Views of a report: what Gradescope, a spreadsheet, a browser, nbgrader and otter are shown. None decides anything."""

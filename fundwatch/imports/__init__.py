"""Reading files of past settlements: safely, strictly, a row at a time; nothing here stores."""

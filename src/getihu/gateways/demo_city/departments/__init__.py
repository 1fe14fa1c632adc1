"""What each department knows of the traders and delivers, one module per department."""

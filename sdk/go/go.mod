module chiton

go 1.24

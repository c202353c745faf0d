module my-skill

go 1.24

require chiton v0.0.0

replace chiton => "../../go"

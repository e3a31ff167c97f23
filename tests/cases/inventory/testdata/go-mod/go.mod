module example.com/shop

go 1.22

require github.com/BurntSushi/toml v1.3.2 // pinned by hand

require (
	golang.org/x/text v0.14.0 // indirect
	example.com/old v1.0.0
	example.com/own v0.0.0
)

replace (
	example.com/old v1.0.0 => example.com/new v1.1.0
	example.com/own => ./own
)

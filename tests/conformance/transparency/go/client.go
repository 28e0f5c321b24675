// A Go program with lib/pq: prepared statements, a transaction, an error, a pool.
package main

import (
	"database/sql"
	"fmt"
	"os"

	"github.com/lib/pq"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	db, err := sql.Open("postgres", os.Args[1])
	check(err)
	db.SetMaxOpenConns(1) // One session: the table is temporary.
	_, err = db.Exec("create temp table t (id int, name text)")
	check(err)
	insert, err := db.Prepare("insert into t values ($1, $2)")
	check(err)
	for n := 0; n < 20; n++ {
		_, err = insert.Exec(n, fmt.Sprintf("n%d", n))
		check(err)
	}
	check(insert.Close())
	tx, err := db.Begin()
	check(err)
	_, err = tx.Exec("delete from t where id > $1", 3)
	check(err)
	_, err = tx.Exec("select 1/$1::int", 0)
	fmt.Println("error", err.(*pq.Error).Code)
	check(tx.Rollback())
	var count int
	check(db.QueryRow("select count(*) from t").Scan(&count))
	fmt.Println("rows", count)
	check(db.Close())
}

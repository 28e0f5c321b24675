// A Go program with pgx that meets one error, and what it sees then: pgx DSN MODE.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const faulted = "INSERT INTO payments (id, note) VALUES ($1, $2)"

var ctx = context.Background()

func say(what string, err error) {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		fmt.Println(what, refusal.Severity, refusal.Code, refusal.Message)
	} else {
		fmt.Println(what, err)
	}
}

type executor interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	QueryRow(context.Context, string, ...any) pgx.Row
}

func nextFive(conn executor) {
	var number int
	say("first", conn.QueryRow(ctx, "select $1::int", 77).Scan(&number))
	_, err := conn.Exec(ctx, "insert into payments (id) values ($1)", 2)
	say("second", err)
	var text string
	say("third", conn.QueryRow(ctx, "select '87'").Scan(&text))
	_, err = conn.Exec(ctx, "insert into payments (id) values (3)")
	say("fourth", err)
	var count int
	say("fifth", conn.QueryRow(ctx, "select count(*) from payments").Scan(&count))
	fmt.Println(number, text, count)
}

func inTransaction(conn *pgx.Conn) {
	tx, err := conn.Begin(ctx)
	say("begin", err)
	_, err = tx.Exec(ctx, "insert into payments (id) values (1)")
	say("insert", err)
	_, err = tx.Exec(ctx, faulted, 10, "x")
	say("faulted", err)
	_, err = tx.Exec(ctx, "select 5")
	say("behind", err)
	say("commit", tx.Commit(ctx))
}

func batch(conn *pgx.Conn) {
	requests := &pgx.Batch{}
	requests.Queue("insert into payments (id) values ($1)", 1)
	requests.Queue(faulted, 10, "x")
	requests.Queue("insert into payments (id) values ($1)", 11)
	results := conn.SendBatch(ctx, requests)
	for n := 0; n < 3; n++ {
		tag, err := results.Exec()
		say(fmt.Sprint("batch ", n, " ", tag.RowsAffected()), err)
	}
	say("end of the batch", results.Close())
}

func copyIn(conn *pgx.Conn) {
	rows := [][]any{{10, "x"}, {11, "y"}}
	number, err := conn.CopyFrom(ctx, pgx.Identifier{"payments"}, []string{"id", "note"},
		pgx.CopyFromRows(rows))
	say(fmt.Sprint("copied ", number), err)
}

const typed = `select 1::int4 as whole, 'a'::text as word, true as yes, 1.5::float8 as part,
'2026-01-02'::date as day, '{1,2}'::int4[] as wholes, '1 year 2 mons 1 day 01:00'::interval as span,
2.5::numeric as price`

func rows(conn *pgx.Conn) {
	for n := 0; n < 3; n++ {
		var whole int32
		var word string
		var yes bool
		var part float64
		var day time.Time
		var wholes []int32
		var span pgtype.Interval
		var price pgtype.Numeric
		err := conn.QueryRow(ctx, typed).Scan(&whole, &word, &yes, &part, &day, &wholes, &span, &price)
		if err != nil {
			say("rows", err)
			continue
		}
		text, _ := price.Value()
		fmt.Println(whole, word, yes, part, day.Format("2006-01-02"), wholes,
			fmt.Sprintf("{%d %d %d}", span.Microseconds, span.Days, span.Months), text)
	}
}

func longBatch(conn *pgx.Conn) {
	const statements = 100000
	requests := &pgx.Batch{}
	for n := 0; n < statements; n++ {
		requests.Queue("select $1::int8", n)
	}
	results := conn.SendBatch(ctx, requests)
	sum := int64(0)
	for n := 0; n < statements; n++ {
		var number int64
		if err := results.QueryRow().Scan(&number); err != nil {
			say("long batch", err)
			return
		}
		sum += number
	}
	say("end of the batch", results.Close())
	fmt.Println("sum", sum, "of", statements)
}

func pooled() {
	config, err := pgxpool.ParseConfig(os.Args[1] + " pool_max_conns=1")
	if err != nil {
		panic(err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	for n := 0; n < 10; n++ {
		var number int
		if err := pool.QueryRow(ctx, "select 77").Scan(&number); err != nil {
			fmt.Println("dead:", err)
		} else {
			fmt.Println(number)
		}
	}
}

func main() {
	if os.Args[2] == "pool" {
		pooled()
		return
	}
	config, err := pgx.ParseConfig(os.Args[1])
	say("config", err)
	if os.Args[2] == "simple" {
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	say("connect", err)
	switch os.Args[2] {
	case "autocommit", "simple":
		_, err = conn.Exec(ctx, faulted, 10, "x")
		say("faulted", err)
	case "prepared":
		_, err = conn.Prepare(ctx, "insert", faulted)
		say("prepare", err)
		for id := 10; id < 13; id++ {
			_, err = conn.Exec(ctx, "insert", id, "x")
			say("faulted", err)
		}
	case "transaction", "commit":
		inTransaction(conn)
	case "batch":
		batch(conn)
	case "copy":
		copyIn(conn)
	case "rows":
		rows(conn)
	case "long-batch":
		longBatch(conn)
	}
	nextFive(conn)
	say("close", conn.Close(ctx))
}

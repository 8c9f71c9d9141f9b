// What an application written with gocql does: connect, create, insert, select.
//
//	dialogue HOST PORT
package main

import (
	"fmt"
	"log"
	"os"
	"reflect"
	"strconv"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	port, err := strconv.Atoi(os.Args[2])
	must(err)
	cluster := gocql.NewCluster(os.Args[1])
	cluster.Port = port
	cluster.Timeout = 30 * time.Second
	cluster.ConnectTimeout = 30 * time.Second
	cluster.Consistency = gocql.LocalOne
	session, err := cluster.CreateSession()
	must(err)
	defer session.Close()
	for _, statement := range []string{
		"DROP KEYSPACE IF EXISTS dialogue_go",
		"CREATE KEYSPACE dialogue_go WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE dialogue_go.t (pk int, ck int, name text, tags set<text>, m map<text, int>, PRIMARY KEY (pk, ck))",
	} {
		must(session.Query(statement).Exec())
	}
	for ck := 0; ck < 100; ck++ {
		must(session.Query("INSERT INTO dialogue_go.t (pk, ck, name, tags, m) VALUES (?, ?, ?, ?, ?)",
			1, ck, fmt.Sprintf("name %d", ck), []string{"b", "a"}, map[string]int{"x": ck}).Exec())
	}
	batch := session.Batch(gocql.LoggedBatch)
	batch.Query("INSERT INTO dialogue_go.t (pk, ck, name) VALUES (?, ?, ?)", 2, 1, "one")
	batch.Query("INSERT INTO dialogue_go.t (pk, ck) VALUES (?, ?)", 2, 2)
	must(batch.Exec())

	iter := session.Query("SELECT ck, name, tags, m FROM dialogue_go.t WHERE pk = ?", 1).PageSize(7).Iter()
	var ck, seen int
	var name string
	var tags []string
	var m map[string]int
	for iter.Scan(&ck, &name, &tags, &m) {
		if ck != seen || name != fmt.Sprintf("name %d", seen) || !reflect.DeepEqual(tags, []string{"a", "b"}) || m["x"] != seen {
			log.Fatalf("row %d: %d %q %v %v", seen, ck, name, tags, m)
		}
		seen++
	}
	must(iter.Close())
	if seen != 100 {
		log.Fatalf("%d rows of 100", seen)
	}
	var absent *string
	must(session.Query("SELECT name FROM dialogue_go.t WHERE pk = 2 AND ck = 2").Scan(&absent))
	if absent != nil {
		log.Fatalf("null came back as %q", *absent)
	}
	if err := session.Query("SELECT nope FROM dialogue_go.t").Exec(); err == nil {
		log.Fatal("an unknown column must be refused")
	}
	fmt.Println("go: connect, create, insert, select ok")
}

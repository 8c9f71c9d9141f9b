// What an application written with the Node.js driver does: connect, create, insert, select.
//
//     node dialogue.js HOST PORT
'use strict';
const assert = require('assert');
const cassandra = require('cassandra-driver');

const [host, port] = process.argv.slice(2);

async function main() {
  const client = new cassandra.Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter: process.env.DIALOGUE_DATACENTER || 'datacenter1',
  });
  await client.connect();
  try {
    await client.execute('DROP KEYSPACE IF EXISTS dialogue_node');
    await client.execute("CREATE KEYSPACE dialogue_node WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    await client.execute('CREATE TABLE dialogue_node.t (pk int, ck timeuuid, name text, tags set<text>, m map<text, int>, PRIMARY KEY (pk, ck))');
    const insert = 'INSERT INTO dialogue_node.t (pk, ck, name, tags, m) VALUES (?, ?, ?, ?, ?)';
    for (let i = 0; i < 25; i++) {
      await client.execute(insert, [1, cassandra.types.TimeUuid.now(), `name ${i}`, ['b', 'a'], { x: i }], { prepare: true });
    }
    await client.batch([
      { query: insert, params: [2, cassandra.types.TimeUuid.now(), 'batched', ['t'], { y: 1 }] },
      { query: insert, params: [2, cassandra.types.TimeUuid.now(), null, null, null] },
    ], { prepare: true });
    const result = await client.execute('SELECT * FROM dialogue_node.t WHERE pk = ?', [1], { prepare: true, fetchSize: 10 });
    assert.strictEqual(result.rows.length, 10);
    assert.ok(result.pageState);
    assert.deepStrictEqual(result.rows[3].tags, ['a', 'b']);
    assert.strictEqual(result.rows[3].m.x, 3);
    let streamed = 0;
    for await (const row of client.stream('SELECT name FROM dialogue_node.t WHERE pk = 1', [], { prepare: true, fetchSize: 7, autoPage: true })) {
      assert.strictEqual(row.name, `name ${streamed}`);
      streamed++;
    }
    assert.strictEqual(streamed, 25);
    const batched = await client.execute('SELECT name FROM dialogue_node.t WHERE pk = 2');
    assert.deepStrictEqual(batched.rows.map((row) => row.name), ['batched', null]);
    await assert.rejects(client.execute('SELECT nope FROM dialogue_node.t'), { code: 0x2200 });
    const table = await client.metadata.getTable('dialogue_node', 't');
    assert.deepStrictEqual(table.columns.map((column) => column.name).sort(), ['ck', 'm', 'name', 'pk', 'tags']);
  } finally {
    await client.shutdown();
  }
  console.log('node: connect, create, insert, select ok');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

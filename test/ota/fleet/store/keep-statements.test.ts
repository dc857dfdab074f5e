import test, {type ExecutionContext} from 'ava';
import SqliteDatabase from 'better-sqlite3';
import {keepStatements, statementsMax} from '#ota/fleet/store/keep-statements.ts';

const prepare = (t: ExecutionContext) => {
	const connection = new SqliteDatabase(':memory:');
	t.teardown(() => connection.close());
	connection.exec('create table box (id text); insert into box values (1), (2)');
	let compiled = 0;
	const kept = keepStatements({
		prepare: (text) => {
			compiled += 1;
			return connection.prepare<unknown[]>(text);
		},
		close: () => connection.close(),
	});
	const read = (text: string): readonly unknown[] => [...kept.prepare(text).all([])];
	return {connection, kept, read, compiled: () => compiled};
};

test('a statement is compiled once, and the least recently used one is forgotten', (t) => {
	const {read, compiled} = prepare(t);
	for (let round = 0; round < 3; round += 1) {
		t.deepEqual(read('select id from box'), [{id: '1'}, {id: '2'}]);
	}
	t.is(compiled(), 1);
	for (let index = 1; index < statementsMax; index += 1) {
		read(`select ${index}`);
	}
	read('select id from box');
	t.is(compiled(), statementsMax);
	read('select 0');
	read('select id from box');
	t.is(compiled(), statementsMax + 1);
	read('select 1');
	t.is(compiled(), statementsMax + 2);
});

test('a statement that somebody reads row by row is not taken from under them', (t) => {
	const {kept, read} = prepare(t);
	const rows = kept.prepare('select id from box').iterate([]);
	t.deepEqual(rows.next().value, {id: '1'});
	t.deepEqual(read('select id from box'), [{id: '1'}, {id: '2'}]);
	t.deepEqual([...rows], [{id: '2'}]);
});

test('a change of the schema is seen by what was asked before it', (t) => {
	const {kept, read} = prepare(t);
	t.deepEqual(read('select * from box limit 1'), [{id: '1'}]);
	kept.prepare('alter table box add column kind text').run([]);
	t.deepEqual(read('select * from box limit 1'), [{id: '1', kind: null}]);
});

test('a batch of many rows is not kept', (t) => {
	const {read, compiled} = prepare(t);
	const long = `select 1 where 1 in (${Array.from({length: 3000}, () => 1).join(', ')})`;
	read(long);
	read(long);
	t.is(compiled(), 2);
});

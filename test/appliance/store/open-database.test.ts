import path from 'node:path';
import test from 'ava';
import {openDatabase} from '#appliance/store/open-database.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const migrations = ['create table entry (name text primary key) strict'];
const newer = [...migrations, 'alter table entry add column more text', 'create table other (id integer) strict'];

test('a database of a newer release is refused, or opened as it is by whoever has promised only to add', async (t) => {
	const file = path.join(await withDirectory(t), 'state.db');
	openDatabase({path: file, migrations: newer}).close();
	t.throws(() => openDatabase({path: file, migrations}), {code: 'APPLIANCE_STORE_NEWER'});
	const database = openDatabase({path: file, migrations, takesNewer: true});
	database.prepare('insert into entry (name) values (?)').run('kept');
	t.is(database.pragma('user_version', {simple: true}), newer.length, 'the newer release finds its own again');
	database.close();
	const again = openDatabase({path: file, migrations: newer});
	t.deepEqual(again.prepare('select * from entry').all(), [{name: 'kept', more: null}]);
	again.close();
});

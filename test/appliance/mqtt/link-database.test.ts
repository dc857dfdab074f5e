import {access} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import Database from 'better-sqlite3';
import {silentLogger} from '#appliance/log/logger.ts';
import {openLinkDatabase} from '#appliance/mqtt/link-database.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('after a fall back the link’s database of a newer release is put aside, and the box has a link', async (t) => {
	const directory = await withDirectory(t);
	const file = path.join(directory, 'link.db');
	const before = await openLinkDatabase(directory, silentLogger());
	const version = Number(before.pragma('user_version', {simple: true}));
	before.close();
	// What a release with one more migration leaves.
	const newer = new Database(file);
	newer.exec('create table of_a_newer_release (id integer)');
	newer.pragma(`user_version = ${version + 1}`);
	newer.close();
	const database = await openLinkDatabase(directory, silentLogger());
	t.is(database.pragma('user_version', {simple: true}), version);
	t.deepEqual(database.prepare("select name from sqlite_schema where name = 'of_a_newer_release'").all(), []);
	database.close();
	await t.notThrowsAsync(access(`${file}.damaged`));
});

import {buffer} from 'node:stream/consumers';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {extract} from 'tar-stream';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {createStreamPage} from '#test/helper/stream-page.ts';
import {type TestFleet, withFleet} from '#test/helper/with-fleet.ts';
import {fleetMemberSecret, withFleetMember} from '#test/helper/with-fleet-member.ts';

const download = async (fleet: TestFleet, id: string): Promise<Buffer> => {
	const answer = await fetch(`${fleet.url}/api/v1/diagnostics/${id}/content`, {
		headers: {Authorization: `Bearer ${fleet.token}`},
	});
	return Buffer.from(await answer.arrayBuffer());
};

const itemOnce = async (fleet: TestFleet, id: string, state: string) =>
	await eventually(`${state}`, async () => {
		const {body} = await fleet.call('GET /diagnostics');
		const item = body.items.find((each: {readonly id: string}) => each.id === id);
		return item?.state === state ? item : undefined;
	});

test('a whole fleet: a bundle, a terminal that survives a cut line, a log, and their limits', async (t) => {
	const fleet = await withFleet(t);
	const box = await withFleetMember(t, fleet, {id: 'stb-diagnosed'});
	const headers = {Authorization: `Bearer ${fleet.token}`};
	const page = () => createStreamPage({url: fleet.url, box: box.id, headers});

	const asked = await fleet.call(`POST /boxes/${box.id}/diagnostics`, {kind: 'bundle', deadlineMs: 20_000});
	t.is(asked.status, 202);
	const ready = await itemOnce(fleet, asked.body.id, 'ready');
	const archive = await download(fleet, ready.id);
	t.is(archive.length, ready.sizeBytes);
	const names: string[] = [];
	const tar = extract();
	const unpacked = gunzipSync(archive);
	tar.end(unpacked);
	for await (const entry of tar) {
		names.push(entry.header.name);
		await buffer(entry);
	}
	t.true(names.includes('manifest.json') && names.includes('box/config.json') && names.includes('system/uname.txt'));
	const text = unpacked.toString('utf8');
	t.false(text.includes(fleetMemberSecret));
	t.false(text.includes('Zt7-secret-of-the-environment'));
	t.false(text.includes('PRIVATE KEY'));

	const terminal = page();
	await terminal.connect('kind=terminal&columns=100&rows=30');
	terminal.type('stty size; echo first""-line\n');
	await eventually('the terminal', () => terminal.text().includes('first-line'));
	t.regex(terminal.text(), /30 100/u);
	terminal.cut();
	terminal.type('echo typed""-while-away\n');
	await sleep(300);
	await terminal.resume();
	await eventually('what was typed', () => terminal.text().includes('typed-while-away'));
	terminal.silent = true;
	terminal.type('seq 0 100000; echo last""-line\n');
	await sleep(1500);
	t.false(terminal.text().includes('last-line'), 'a page that acknowledges nothing rests the shell');
	t.true(terminal.text().length < 1_000_000);
	terminal.cut();
	terminal.silent = false;
	await terminal.resume();
	await eventually('all of it', () => terminal.text().includes('last-line'));
	const numbers = terminal.text().match(/(?<=\r\n)\d+(?=\r\n)/gu) ?? [];
	t.is(numbers.at(-1), '100000');
	t.is(numbers.length, 100_001 - 1 + (numbers[0] === '0' ? 1 : 0));
	terminal.type('exit\n');
	await eventually('the end', () => terminal.closed());

	const recordings = await fleet.call('GET /diagnostics?kind=recording');
	const recording = await itemOnce(fleet, recordings.body.items[0].id, 'ready');
	const cast = (await download(fleet, recording.id))
		.toString('utf8')
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line));
	t.like(cast[0], {version: 2, width: 100, height: 30});
	t.true(cast.slice(1).some(([, kind, data]) => kind === 'i' && String(data).includes('typed""-while-away')));
	t.true(cast.slice(1).some(([, kind, data]) => kind === 'o' && String(data).includes('last-line')));

	const log = page();
	await log.connect('kind=log&service=stb&tail=100');
	await eventually('the log', () => log.text().includes('ready'));
	log.cut();

	const viewer = await fleet.call('POST /tokens', {name: 'viewer', role: 'viewer', lifeDays: 1});
	const peeping = createStreamPage({
		url: fleet.url,
		box: box.id,
		headers: {Authorization: `Bearer ${viewer.body.token}`},
	});
	await t.throwsAsync(peeping.connect('kind=terminal'), {message: /403/u});
	await t.throwsAsync(createStreamPage({url: fleet.url, box: box.id, headers: {}}).connect('kind=log'), {
		message: /401/u,
	});
	await t.throwsAsync(page().connect('kind=terminal&columns=9999'), {message: /400/u});
	await t.throwsAsync(page().connect(`kind=resume&token=${'x'.repeat(32)}&after=0`), {message: /404/u});
	const audit = await fleet.call('GET /audit');
	t.true(JSON.stringify(audit.body).includes('openStream terminal'));
});

import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import type {UplinkJob} from '#headend/carousel/uplink.ts';
import {eventually} from '#test/helper/eventually.ts';
import {recordingSender} from '#test/helper/recording-sender.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withHeadend} from '#test/helper/with-headend.ts';

const carousel = {minimumGapMs: 50};
const put = (url: string, path: string, body: Buffer) => fetch(`${url}/catalogue/${path}`, {method: 'PUT', body});
const objectsOf = (jobs: readonly UplinkJob[]) => jobs.filter(({toi, tsi}) => toi !== 0 && tsi === 1);
const bodyOf = (job: UplinkJob): string => {
	const bytes = job.source.kind === 'bytes' ? Buffer.from(job.source.bytes) : Buffer.alloc(0);
	return (job.contentEncoding === 'gzip' ? gunzipSync(bytes) : bytes).toString();
};

test('every object is described by the FDT instance that went before it', async (t) => {
	const sender = recordingSender();
	const {url} = await withHeadend(t, {sections: {carousel}, openSender: sender.open});
	for (let index = 0; index < 5; index += 1) {
		await put(url, `o${index}`, randomBytes(1000 + index));
	}
	await eventually('a few rounds are sent', () => objectsOf(sender.jobs).length >= 15);
	const newest = new Map<number, string>();
	for (const job of sender.jobs) {
		if (job.toi === 0) {
			newest.set(job.tsi, bodyOf(job));
			t.true((job.fdt?.instanceId ?? -1) >= 0);
			t.is(job.fec.encodingId, 0);
			t.true(job.senderTime);
		} else {
			t.regex(newest.get(job.tsi) ?? '', new RegExp(` TOI="${job.toi}" `, 'u'));
		}
	}
});

test('one FDT instance id never stands for two bodies', async (t) => {
	const sender = recordingSender();
	const {url} = await withHeadend(t, {sections: {carousel}, openSender: sender.open});
	const bodies = new Map<string, string>();
	for (let index = 0; index < 10; index += 1) {
		await put(url, `o${index % 3}`, randomBytes(500));
	}
	await eventually('a few rounds are sent', () => objectsOf(sender.jobs).length >= 20);
	for (const job of sender.jobs.filter(({toi}) => toi === 0)) {
		const key = `${job.tsi} ${job.fdt?.instanceId}`;
		t.is(bodies.get(key) ?? bodyOf(job), bodyOf(job));
		bodies.set(key, bodyOf(job));
	}
	t.true(bodies.size > 3);
});

test('a deleted object keeps its file until its transmission has ended, and then leaves the air', async (t) => {
	const sender = recordingSender({instant: false});
	const {url} = await withHeadend(t, {sections: {carousel}, openSender: sender.open});
	await put(url, 'gone', randomBytes(5000));
	const job = await eventually('it is on air', () => objectsOf(sender.jobs)[0]);
	const filePath = job.source.kind === 'file' ? job.source.path : '';
	t.true(existsSync(filePath));
	await fetch(`${url}/catalogue/gone`, {method: 'DELETE'});
	t.true(existsSync(filePath));
	await eventually('its file is gone', () => {
		sender.finish();
		return !existsSync(filePath);
	});
	const before = objectsOf(sender.jobs).length;
	await put(url, 'other', randomBytes(10));
	await eventually('the other one is sent', () => {
		sender.finish();
		return objectsOf(sender.jobs).some(({toi}) => toi !== job.toi);
	});
	t.true(objectsOf(sender.jobs.slice(before)).length > 0);
	const last = sender.jobs.filter(({toi, tsi}) => toi === 0 && tsi === 1).at(-1);
	t.notRegex(last === undefined ? '' : bodyOf(last), /Content-Location="[^"]*gone"/u);
});

test('a file that vanishes from the folder and transmissions that fail do not stop the carousel', async (t) => {
	const directory = await withDirectory(t);
	await mkdir(directory, {recursive: true});
	await writeFile(join(directory, 'stays.bin'), randomBytes(2000));
	await writeFile(join(directory, 'goes.bin'), randomBytes(2000));
	const sender = recordingSender({instant: false});
	const {url} = await withHeadend(t, {
		sections: {carousel, catalogue: {directory, directorySettleMs: 100}},
		openSender: sender.open,
	});
	await eventually('both are on air', () => new Set(objectsOf(sender.jobs).map(({toi}) => toi)).size === 2);
	await rm(join(directory, 'goes.bin'));
	await eventually('it has left', async () => {
		sender.finish('failed');
		const status = headendStatusSchema.parse(await (await fetch(`${url}/status`)).json());
		return status.carousel.objects === 1;
	});
	const before = sender.jobs.length;
	await eventually('the other one goes on', () => {
		sender.finish();
		return objectsOf(sender.jobs.slice(before)).some(
			({source}) => source.kind === 'file' && source.path.endsWith('stays.bin'),
		);
	});
	t.pass();
});

test('a restart sends the same bytes under the same TOI, and changed bytes under a new one', async (t) => {
	const first = recordingSender();
	const headend = await withHeadend(t, {sections: {carousel}, openSender: first.open});
	await put(headend.url, 'a', Buffer.from('the bytes'));
	const {toi} = await eventually('it is sent', () => objectsOf(first.jobs)[0]);
	await headend.stop();
	const second = recordingSender();
	const again = await withHeadend(t, {
		sections: {carousel},
		openSender: second.open,
		stateDirectory: headend.stateDirectory,
	});
	t.is((await eventually('it is sent', () => objectsOf(second.jobs)[0])).toi, toi);
	await put(again.url, 'a', Buffer.from('new bytes'));
	const changed = await eventually('the change is sent', () => objectsOf(second.jobs).find((job) => job.toi !== toi));
	t.true(changed.toi > toi);
});

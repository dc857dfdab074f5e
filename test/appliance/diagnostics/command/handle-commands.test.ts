import {mkdir, readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {identifyBox} from '#appliance/diagnostics/command/identify-box.ts';
import {parsePing, pingHost} from '#appliance/diagnostics/command/ping-host.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a host is pinged, by whatever way this machine has', async (t) => {
	const signal = AbortSignal.timeout(20_000);
	t.like(await pingHost({host: '127.0.0.1', count: 2}, {signal}), {host: '127.0.0.1', sent: 2, received: 2});
	for (const host of ['-f', '--help', 'a b', 'x;reboot', '$(id)', '']) {
		await t.throwsAsync(pingHost({host, count: 1}, {signal}), {code: 'DIAGNOSTICS_NOT_PERMITTED'}, host);
	}
});

test('what pings print is understood', (t) => {
	const iputils = `--- h ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 605ms
rtt min/avg/max/mdev = 0.037/0.046/0.060/0.010 ms`;
	t.deepEqual(parsePing(iputils, 'h'), {
		...{host: 'h', method: 'icmp', sent: 4, received: 3, minMs: 0.037, meanMs: 0.046, maxMs: 0.06},
	});
	const busybox = `4 packets transmitted, 4 packets received, 0% packet loss
round-trip min/avg/max = 0.1/0.2/0.3 ms`;
	t.like(parsePing(busybox, 'h'), {received: 4, meanMs: 0.2});
	t.is(parsePing('ping: unknown host', 'h'), undefined);
});

/** As sysfs has it: the class holds links to the devices, and a light has these files. */
const withLights = async (t: ExecutionContext, lights: Readonly<Record<string, Readonly<Record<string, string>>>>) => {
	const root = await withDirectory(t);
	const directory = path.join(root, 'class/leds');
	await mkdir(directory, {recursive: true});
	for (const [name, files] of Object.entries(lights)) {
		const device = path.join(root, 'devices/platform/leds', name);
		await mkdir(device, {recursive: true});
		for (const [file, value] of Object.entries(files)) {
			await writeFile(path.join(device, file), value);
		}
		await symlink(path.join('../../devices/platform/leds', name), path.join(directory, name));
	}
	const read = async (name: string, file: string) => (await readFile(path.join(directory, name, file), 'utf8')).trim();
	return {directory, read};
};

test('a box blinks the light that it has as brightly as it can, and leaves it as it was', async (t) => {
	const {directory, read} = await withLights(t, {
		'input3::capslock': {trigger: '[none]', brightness: '0', max_brightness: '1'},
		'mmc0::': {trigger: 'none [mmc0]', brightness: '0', max_brightness: '255'},
		'box:red:power': {trigger: '[none] timer', brightness: '9', max_brightness: '255'},
		'box:green:status': {trigger: 'none [heartbeat] timer', brightness: '31', max_brightness: '255'},
	});
	const blinking = identifyBox({seconds: 2, signal: AbortSignal.timeout(20_000), directory});
	for (const value of ['255', '0', '255']) {
		await eventually(value, async () => (await read('box:green:status', 'brightness')) === value);
		t.is(await read('box:green:status', 'trigger'), 'none', 'or the heartbeat would go on');
	}
	t.like(await blinking, {led: 'box:green:status'});
	t.is(await read('box:green:status', 'brightness'), '31');
	t.is(await read('box:green:status', 'trigger'), 'heartbeat');
	t.deepEqual(
		await Promise.all(['input3::capslock', 'mmc0::', 'box:red:power'].map((name) => read(name, 'brightness'))),
		['0', '0', '9'],
	);
});

test('a light is left as it was when whoever asked goes away, and a light may have no trigger', async (t) => {
	const {directory, read} = await withLights(t, {'box:green:status': {brightness: '1'}});
	const leaving = new AbortController();
	const blinking = identifyBox({seconds: 60, signal: leaving.signal, directory});
	await eventually('it blinks', async () => (await read('box:green:status', 'brightness')) === '0');
	leaving.abort();
	await t.throwsAsync(blinking, {name: 'AbortError'});
	t.is(await read('box:green:status', 'brightness'), '1');
	t.deepEqual(await readdir(path.join(directory, 'box:green:status')), ['brightness'], 'nothing was made');
});

test('a box without a light of its own says so', async (t) => {
	const {directory} = await withLights(t, {'input3::capslock': {brightness: '0'}});
	for (const place of [directory, path.join(directory, 'not-there')]) {
		t.like(await identifyBox({seconds: 1, signal: AbortSignal.timeout(5000), directory: place}), {led: null});
	}
});

test('what a ping could take for an option, or is no host, is not handed to it', async (t) => {
	const {signal} = new AbortController();
	for (const host of ['-f', '--help', '', 'a b', 'a;b', '$(id)', 'a\nb', 'a/b', 'x'.repeat(254)]) {
		await t.throwsAsync(pingHost({host, count: 1}, {signal}), {code: 'DIAGNOSTICS_NOT_PERMITTED'}, host);
	}
});

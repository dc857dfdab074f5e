import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {identifyBox} from '#appliance/diagnostics/command/identify-box.ts';
import {parsePing, pingHost} from '#appliance/diagnostics/command/ping-host.ts';
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

test('a box blinks the light that it has, and leaves it as it was', async (t) => {
	const directory = await withDirectory(t);
	t.like(await identifyBox({seconds: 1, signal: AbortSignal.timeout(5000), directory}), {led: null});
	await mkdir(path.join(directory, 'input3::capslock'));
	const led = path.join(directory, 'box:green:status');
	await mkdir(led);
	await writeFile(path.join(led, 'trigger'), 'none [heartbeat] timer');
	await writeFile(path.join(led, 'brightness'), '1\n');
	t.like(await identifyBox({seconds: 1, signal: AbortSignal.timeout(5000), directory}), {led: 'box:green:status'});
	t.is(await readFile(path.join(led, 'brightness'), 'utf8'), '1');
	t.is(await readFile(path.join(led, 'trigger'), 'utf8'), 'heartbeat');
});

test('what a ping could take for an option, or is no host, is not handed to it', async (t) => {
	const {signal} = new AbortController();
	for (const host of ['-f', '--help', '', 'a b', 'a;b', '$(id)', 'a\nb', 'a/b', 'x'.repeat(254)]) {
		await t.throwsAsync(pingHost({host, count: 1}, {signal}), {code: 'DIAGNOSTICS_NOT_PERMITTED'}, host);
	}
});

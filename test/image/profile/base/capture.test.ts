import {execFileSync} from 'node:child_process';
import {createSocket} from 'node:dgram';
import {connect} from 'node:net';
import path from 'node:path';
import {buffer, text} from 'node:stream/consumers';
import test from 'ava';
import {captureByHelper} from '#appliance/diagnostics/command/capture-by-helper.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {imageDirectory} from '#image/make/recipe.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {withSocketUnit} from '#test/helper/with-socket-unit.ts';

const script = path.join(imageDirectory, 'profile/base/overlay/usr/lib/streamverse/bin/capture');
const request = {interface: 'lo', filter: '', seconds: 1, bytesMax: 1024 ** 2};
const canCapture = (() => {
	try {
		execFileSync('tcpdump', ['--version'], {stdio: 'ignore'});
		return process.getuid?.() === 0;
	} catch {
		return false;
	}
})();
const capturing = canCapture ? test.serial : test.skip;
const withCapture = (t: Parameters<typeof withSocketUnit>[0]) =>
	withSocketUnit(t, {command: ['/bin/sh', script], passAs: 'standard'});

const chatter = async (port: number, signal: AbortSignal): Promise<void> => {
	const socket = createSocket('udp4');
	while (!signal.aborted) {
		socket.send(Buffer.alloc(500, 'streamverse'), port, '127.0.0.1');
		await sleep(2);
	}
	socket.close();
};

capturing('whoever asks the unit gets a pcap file, filtered, for as long as asked', async (t) => {
	const port = await freeUdpPort();
	const {socketPath} = await withCapture(t);
	const stop = new AbortController();
	void chatter(port, stop.signal);
	// Of which tcpdump's start takes some on a busy machine.
	const asked = {...request, seconds: 5, bytesMax: 8 * 1024 ** 2, filter: `udp\nport ${port}`};
	const {stream, ended} = captureByHelper(socketPath)(asked, {signal: AbortSignal.timeout(30_000)});
	const file = await buffer(stream);
	stop.abort();
	t.is(file.readUInt32LE(0), 0xa1b2c3d4);
	t.true(file.includes('streamverse'));
	t.deepEqual(await ended, {sizeBytes: file.length, truncated: false});
});

capturing('a capture ends at its bound of bytes, and its processes with it', async (t) => {
	const port = await freeUdpPort();
	const {socketPath, processes} = await withCapture(t);
	const stop = new AbortController();
	void chatter(port, stop.signal);
	const {stream, ended} = captureByHelper(socketPath)(
		{...request, seconds: 60, bytesMax: 5000},
		{signal: AbortSignal.timeout(30_000)},
	);
	t.is((await buffer(stream)).length, 5000);
	t.true((await ended).truncated);
	await eventually('the end of the unit', () => processes[0]?.exitCode !== null);
	stop.abort();
});

capturing('a filter or an interface that is none is told, and no option is taken from a filter', async (t) => {
	const {socketPath} = await withCapture(t);
	for (const [wrong, reason] of [
		[{filter: 'this is no filter'}, /syntax error/u],
		[{interface: 'no-such-if0'}, /no-such-if0/u],
		[{interface: '-w'}, /no interface/u],
		[{interface: 'lo;id'}, /no interface/u],
		[{filter: '-w /tmp/streamverse-owned'}, /tcpdump cannot capture/u],
		[{filter: '$(id)'}, /tcpdump cannot capture/u],
	] as const) {
		const {stream, ended} = captureByHelper(socketPath)({...request, ...wrong}, {signal: AbortSignal.timeout(20_000)});
		stream.resume();
		await t.throwsAsync(ended, {code: 'DIAGNOSTICS_COMMAND_FAILED', message: reason}, JSON.stringify(wrong));
	}
});

capturing('the signal ends it at once', async (t) => {
	const {socketPath} = await withCapture(t);
	const stop = new AbortController();
	const {stream, ended} = captureByHelper(socketPath)({...request, seconds: 60}, {signal: stop.signal});
	stream.once('data', () => stop.abort());
	await t.throwsAsync(ended, {name: 'AbortError'});
});

test('where nobody captures it is told', async (t) => {
	const {stream, ended} = captureByHelper('/nowhere/capture.socket')(request, {signal: AbortSignal.timeout(10_000)});
	stream.resume();
	await t.throwsAsync(ended, {code: 'DIAGNOSTICS_NOT_HERE'});
});

/** Said to the script as the supervisor would not. */
const refused = test.macro(async (t, lines: readonly string[], reason: RegExp) => {
	const {socketPath} = await withCapture(t);
	const socket = connect(socketPath);
	socket.end(lines.map((line) => `${line}\n`).join(''));
	t.regex(await text(socket), reason);
});

test('refused: more seconds than a capture may take', refused, ['lo', '61', '2000', ''], /1 to 60 s/u);
test('refused: no number of seconds', refused, ['lo', '-1', '2000', ''], /1 to 60 s/u);
test('refused: a calculation', refused, ['lo', '1', '1+1', ''], /bytes/u);
test('refused: more bytes than a capture may have', refused, ['lo', '1', '99999999', ''], /bytes/u);
test('refused: a number that is longer than a number', refused, ['lo', '1', '1'.repeat(400), ''], /bytes/u);
test('refused: a request that is cut', refused, ['lo', '1'], /not whole/u);

import {execFileSync} from 'node:child_process';
import {createSocket} from 'node:dgram';
import {buffer} from 'node:stream/consumers';
import test from 'ava';
import {capturePackets} from '#appliance/diagnostics/command/capture-packets.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';

const request = {interface: 'lo', filter: '', seconds: 1, bytesMax: 1024 ** 2};
const hasTcpdump = (() => {
	try {
		execFileSync('tcpdump', ['--version'], {stdio: 'ignore'});
		return process.getuid?.() === 0;
	} catch {
		return false;
	}
})();

/** One after the other, because processes are counted. Where nobody may capture there is nothing to see. */
const capturing = hasTcpdump ? test.serial : test.skip;

const chatter = async (port: number, signal: AbortSignal): Promise<void> => {
	const socket = createSocket('udp4');
	while (!signal.aborted) {
		socket.send(Buffer.alloc(500, 'streamverse'), port, '127.0.0.1');
		await sleep(2);
	}
	socket.close();
};

capturing('what goes over an interface comes as a pcap file, filtered, for as long as asked', async (t) => {
	const port = await freeUdpPort();
	const stop = new AbortController();
	void chatter(port, stop.signal);
	const startedMs = performance.now();
	const {stream, ended} = capturePackets({...request, filter: `udp port ${port}`}, {signal: stop.signal});
	const file = await buffer(stream);
	stop.abort();
	t.is(file.readUInt32LE(0), 0xa1b2c3d4);
	t.true(file.includes('streamverse'));
	t.like(await ended, {sizeBytes: file.length, truncated: false});
	t.true(performance.now() - startedMs < 10_000, 'it did not wait in vain for tcpdump to begin');
});

capturing('a capture ends at its bound of bytes, and its process with it', async (t) => {
	const port = await freeUdpPort();
	const stop = new AbortController();
	void chatter(port, stop.signal);
	const before = tcpdumps();
	const startedMs = performance.now();
	const {stream, ended} = capturePackets(
		{...request, seconds: 60, bytesMax: 5000},
		{signal: AbortSignal.timeout(30_000)},
	);
	const file = await buffer(stream);
	stop.abort();
	t.is(file.length, 5000);
	t.true((await ended).truncated);
	t.true(performance.now() - startedMs < 10_000);
	t.deepEqual(
		tcpdumps().filter((pid) => !before.includes(pid) && isProcessAlive(pid)),
		[],
	);
});

capturing('a filter or an interface that is none is told, and no option is taken from a filter', async (t) => {
	for (const wrong of [
		{filter: 'this is no filter'},
		{interface: 'no-such-if0'},
		{filter: '-w /tmp/streamverse-owned'},
	]) {
		const {stream, ended} = capturePackets({...request, ...wrong}, {signal: AbortSignal.timeout(10_000)});
		stream.resume();
		await t.throwsAsync(ended, {code: 'DIAGNOSTICS_COMMAND_FAILED', message: /tcpdump cannot capture/u});
	}
});

capturing('the signal ends it at once', async (t) => {
	const stop = new AbortController();
	const {stream, ended} = capturePackets({...request, seconds: 60}, {signal: stop.signal});
	stream.resume();
	await sleep(300);
	stop.abort();
	await t.throwsAsync(ended, {name: 'AbortError'});
});

const tcpdumps = (): readonly number[] => {
	try {
		return execFileSync('pgrep', ['-x', 'tcpdump'], {encoding: 'utf8'}).trim().split('\n').map(Number);
	} catch {
		return [];
	}
};

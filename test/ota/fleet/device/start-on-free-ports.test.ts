import {createServer} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {CodedError} from '#appliance/error/coded-error.ts';
import {listen} from '#appliance/http/listen.ts';
import {listenFailed} from '#appliance/http/listen-failed.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {keepPort} from '#ota/fleet/device/keep-port.ts';
import {startAttemptsMax, startOnFreePorts} from '#ota/fleet/device/start-on-free-ports.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const host = '127.0.0.1';

/** Chooses a port, as a server does at its first start; strangers take the first so many before it listens. */
const prepare = async (t: ExecutionContext, strangers: number) => {
	const stateDirectory = await withDirectory(t);
	const tried: number[] = [];
	const choose = () => keepPort({port: 0, host, name: 'device', stateDirectory});
	const start = async (): Promise<number> => {
		const port = await choose();
		tried.push(port);
		if (tried.length <= strangers) {
			const stranger = createServer().listen({host, port});
			await new Promise((resolve) => stranger.once('listening', resolve));
			t.teardown(() => stranger.close());
		}
		const listener = await listen({handler: () => undefined, host, port});
		t.teardown(() => listener[Symbol.asyncDispose]());
		return port;
	};
	return {tried, choose, startFirst: () => startOnFreePorts(start, {stateDirectory, logger: silentLogger()}), start};
};

test('a port that a stranger takes before its first use is given up for another, which is kept', async (t) => {
	const {tried, choose, startFirst} = await prepare(t, 2);
	const port = await startFirst();
	t.is(tried.length, 3);
	t.is(new Set(tried).size, 3);
	t.is(await choose(), port);
});

test('a port that was kept from an earlier start is never given up: boxes were told it', async (t) => {
	const {tried, choose, startFirst} = await prepare(t, 1);
	const kept = await choose();
	await t.throwsAsync(startFirst(), {code: 'APPLIANCE_LISTEN_FAILED'});
	t.deepEqual(tried, [kept]);
	t.is(await choose(), kept);
});

test('after so many strangers it is told', async (t) => {
	const {tried, startFirst} = await prepare(t, Number.POSITIVE_INFINITY);
	await t.throwsAsync(startFirst(), {code: 'APPLIANCE_LISTEN_FAILED'});
	t.is(tried.length, startAttemptsMax);
});

test('what fails for another reason, or on a port that was configured, fails once', async (t) => {
	for (const error of [
		new CodedError('OTA_STATE_UNUSABLE', {message: 'no'}),
		new CodedError('OTA_BROKER_NOT_READY', {message: 'no', details: {outputTail: ['no such file']}}),
		listenFailed(Object.assign(new Error('in use'), {code: 'EADDRINUSE'}), {host, port: 1}),
	]) {
		const stateDirectory = await withDirectory(t);
		let starts = 0;
		const start = async (): Promise<never> => {
			starts += 1;
			await keepPort({port: 0, host, name: 'device', stateDirectory});
			throw error;
		};
		await t.throwsAsync(startOnFreePorts(start, {stateDirectory, logger: silentLogger()}), {is: error});
		t.is(starts, 1);
	}
});

test('a broker that says that a port of its is taken is given others', async (t) => {
	const stateDirectory = await withDirectory(t);
	const tried: number[] = [];
	const start = async (): Promise<number> => {
		const port = await keepPort({port: 0, host, name: 'broker', stateDirectory});
		tried.push(port);
		if (tried.length === 1) {
			const outputTail = ['Opening ipv4 listen socket on port 1.', 'Error: Address already in use'];
			throw new CodedError('OTA_BROKER_NOT_READY', {message: 'no', details: {outputTail}});
		}
		return port;
	};
	t.not(await startOnFreePorts(start, {stateDirectory, logger: silentLogger()}), tried[0]);
});

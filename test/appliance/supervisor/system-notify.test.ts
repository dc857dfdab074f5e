import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {createSystemNotify, watchdogIntervalMs} from '#appliance/supervisor/system-notify.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withNotifySocket} from '#test/helper/with-notify-socket.ts';

const logger = silentLogger();
const {pid} = process;

test('systemd receives what it is told, one assignment a line', async (t) => {
	const socket = await withNotifySocket(t);
	const notify = createSystemNotify({environment: {NOTIFY_SOCKET: socket.path}, pid, logger});
	notify.tell({READY: '1', STATUS: 'one\nline'});
	t.deepEqual(await eventually('a datagram', () => socket.datagrams().length > 0 && socket.datagrams()), [
		'READY=1;STATUS=one line',
	]);
});

test('without systemd, or with one that is gone, nothing happens', (t) => {
	t.notThrows(() => createSystemNotify({environment: {}, pid, logger}).tell({READY: '1'}));
	const environment = {NOTIFY_SOCKET: '/nonexistent/notify'};
	t.notThrows(() => createSystemNotify({environment, pid, logger}).tell({READY: '1'}));
});

test('the watchdog is fed while all is well, starved while it is not, and fed again', async (t) => {
	const socket = await withNotifySocket(t);
	const environment = {NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '20000', WATCHDOG_PID: String(pid)};
	const controller = new AbortController();
	let asked = 0;
	const isAlive = (): boolean => {
		asked += 1;
		return asked <= 2 || asked > 5;
	};
	const fed = createSystemNotify({environment, pid, logger}).feedWatchdog({isAlive, signal: controller.signal});
	await eventually('eight questions', () => asked >= 8);
	controller.abort();
	await fed;
	// Questions 3, 4 and 5 were answered with no.
	await eventually('the datagrams', () => socket.datagrams().length >= asked - 3);
	t.is(socket.datagrams().filter((datagram) => datagram === 'WATCHDOG=1').length, asked - 3);
});

for (const [what, environment, expected] of [
	['off', {}, undefined],
	['half its time', {WATCHDOG_USEC: '30000000'}, 15_000],
	['meant for this process', {WATCHDOG_USEC: '2000000', WATCHDOG_PID: '7'}, 1000],
	['meant for another process', {WATCHDOG_USEC: '2000000', WATCHDOG_PID: '8'}, undefined],
	['nonsense', {WATCHDOG_USEC: 'soon'}, undefined],
	['negative', {WATCHDOG_USEC: '-1'}, undefined],
] as const) {
	test(`the watchdog’s interval: ${what}`, (t) => {
		t.is(watchdogIntervalMs(environment, 7), expected);
	});
}

import {readFile} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import {type StreamFrame, windowCharsMax} from '#appliance/contract/fleet/stream-schema.ts';
import {createLogRing} from '#appliance/diagnostics/log/log-ring.ts';
import {openLog} from '#appliance/diagnostics/log/open-log.ts';
import {FrameFlow} from '#appliance/diagnostics/stream/frame-flow.ts';
import {openTerminal} from '#appliance/diagnostics/stream/open-terminal.ts';
import {
	createStreamSessions,
	linkLossMsDefault,
	type StreamRequest,
} from '#appliance/diagnostics/stream/stream-sessions.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';

const terminal: Extract<StreamRequest, {kind: 'terminal'}> = {
	...{kind: 'terminal', columns: 80, rows: 24, elevated: false},
	// Longer than a link may be lost, whose limit is the one to be seen.
	...{idleTimeoutMs: 4 * linkLossMsDefault, totalTimeoutMs: 4 * linkLossMsDefault},
};

/** A link that can be cut, and a console at its other end that can be slow. */
const withSessions = (t: ExecutionContext) => {
	const box = new Map<string, (frame: StreamFrame) => void>();
	const connected = new Set<() => void>();
	let up = true;
	let slow = false;
	let text = '';
	let pid = 0;
	let aheadMs = 0;
	const frames: StreamFrame[] = [];
	const lost: StreamFrame[] = [];
	const ring = createLogRing();
	const page = new FrameFlow({
		send: (frame) => up && !(slow && frame.kind === 'ack') && box.get('stream-1')?.(frame),
		onData: (part) => {
			text += part;
		},
	});
	const sessions = createStreamSessions({
		link: {
			openChannel: (streamId, onFrame) => {
				box.set(streamId, onFrame);
				return {
					send: (frame) => {
						if (!up) {
							lost.push(frame);
							return;
						}
						frames.push(frame);
						if (frame.kind === 'data' || frame.kind === 'ack' || frame.kind === 'resume') {
							page.take(frame);
						}
					},
					[Symbol.dispose]: () => void box.delete(streamId),
				};
			},
			onConnected: (listener) => {
				connected.add(listener);
				return () => connected.delete(listener);
			},
		},
		open: (request, listener) =>
			request.kind === 'terminal'
				? openTerminal({...request, user: 'nobody', group: 'nogroup', shell: '/bin/bash', listener})
				: openLog({...request, origin: {kind: 'ring', ring}, redact: (line) => line, listener, logger: silentLogger()}),
		logger: silentLogger(),
		tickMs: 50,
		clock: {...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs},
	});
	t.teardown(async () => await sessions[Symbol.asyncDispose]());
	return {
		...{sessions, page, ring, frames, lost},
		text: () => text,
		closed: () => frames.find((frame) => frame.kind === 'close'),
		setUp: (value: boolean) => {
			up = value;
			if (value) {
				page.acknowledge();
				page.resend();
				for (const listener of connected) {
					listener();
				}
			}
		},
		/** For the sessions: nobody has to wait for their limits. */
		pass: (ms: number) => {
			aheadMs += ms;
		},
		setSlow: (value: boolean) => {
			slow = value;
			if (!value) {
				page.acknowledge();
			}
		},
		shellPid: async () => {
			page.write('echo pid=$$=\n');
			pid = await eventually('the shell’s id', () => Number(/pid=(\d+)=\r/u.exec(text)?.[1]) || undefined);
			return pid;
		},
	};
};

const textOf = (frames: readonly StreamFrame[]): string =>
	frames.map((frame) => (frame.kind === 'data' ? frame.text : '')).join('');

test('a terminal is an unprivileged user without a way up, and without our environment', async (t) => {
	process.env['STREAMVERSE_TEST_TOKEN'] = 'Zt7-inherited';
	t.teardown(() => delete process.env['STREAMVERSE_TEST_TOKEN']);
	const {sessions, page, text} = withSessions(t);
	sessions.open('stream-1', terminal);
	page.write('id -u; env; grep -E "NoNewPrivs|CapBnd" /proc/self/status; stty size; echo "end"-here\n');
	await eventually('the answer', () => text().includes('end-here'));
	t.false(text().includes('Zt7-inherited'));
	t.regex(text(), /NoNewPrivs:\s+1/u);
	t.regex(text(), /24 80/u);
	if (process.getuid?.() === 0) {
		t.regex(text(), /\r65534\r\n/u);
		t.regex(text(), /CapBnd:\s+0+\r/u);
	}
});

test('a resize reaches the shell, and its end the other side', async (t) => {
	const {sessions, page, text, closed} = withSessions(t);
	sessions.open('stream-1', terminal);
	page.write('stty size\n');
	await eventually('the first size', () => text().includes('24 80'));
	page.write('sleep 0.2; stty size; exit 3\n');
	await eventually('the end', () => closed());
	t.like(closed(), {reason: {code: 'DIAGNOSTICS_SHELL_ENDED', message: 'The shell ended with 3.'}});
	t.is(sessions.count(), 0);
});

test('a reader that is slow rests the shell at the window, and gets every byte in the end', async (t) => {
	const {sessions, page, text, setSlow} = withSessions(t);
	sessions.open('stream-1', terminal);
	page.write('echo re""ady\n');
	await eventually('the shell', () => text().includes('ready'));
	setSlow(true);
	const before = text().length;
	page.write('seq 0 200000; echo fin""ished\n');
	await eventually('the window is full', () => text().length - before >= windowCharsMax);
	await sleep(300);
	const held = text().length - before;
	t.true(held < windowCharsMax * 2, `${held} characters went through a window of ${windowCharsMax}`);
	t.false(text().includes('finished'));
	setSlow(false);
	await eventually('the rest', () => text().includes('finished'));
	const numbers = text()
		.slice(before)
		.split('\r\n')
		.filter((line) => /^\d+$/u.test(line));
	t.is(numbers.length, 200_000);
	t.is(numbers.at(-1), '200000');
});

test('a link lost for less than the limit costs nothing, in neither direction', async (t) => {
	const {sessions, page, text, lost, setUp, pass, shellPid} = withSessions(t);
	sessions.open('stream-1', terminal);
	const pid = await shellPid();
	// It goes on when it is told to, and not when some time has passed.
	page.write('trap go=1 USR1; for i in 1 2; do echo tick$i; done; until [ "$go" ]; do sleep 0.1; done; ');
	page.write('for i in 3 4 5 6; do echo tick$i; done\n');
	await eventually('the loop', () => text().includes('tick2\r'));
	setUp(false);
	pass(linkLossMsDefault / 2);
	page.write('echo typed-while""-away\n');
	process.kill(pid, 'SIGUSR1');
	await eventually('the rest of the loop', () => textOf(lost).includes('tick6\r'));
	await eventually('a sign of life, with a look at the clock', () => lost.some(({kind}) => kind === 'ack'));
	t.false(text().includes('tick3\r'));
	setUp(true);
	await eventually('what was typed', () => text().includes('typed-while-away\r'));
	t.deepEqual(text().match(/tick\d\r/gu), ['tick1\r', 'tick2\r', 'tick3\r', 'tick4\r', 'tick5\r', 'tick6\r']);
});

test('a link lost for longer ends the shell with everything that it started', async (t) => {
	const {sessions, page, setUp, pass, shellPid, text} = withSessions(t);
	sessions.open('stream-1', terminal);
	const pid = await shellPid();
	page.write('nohup sleep 600 >/dev/null 2>&1 & echo job=$!=\n');
	const job = await eventually('the job', () => /job=(\d+)=\r/u.exec(text())?.[1]);
	setUp(false);
	pass(linkLossMsDefault);
	await eventually('no session', () => sessions.count() === 0);
	const gone = async (id: number | string) =>
		await readFile(`/proc/${id}/stat`, 'utf8').then(
			(stat) => / Z /u.test(stat),
			() => true,
		);
	await eventually('no shell', () => gone(pid));
	await eventually('no job', () => gone(job));
	t.pass();
});

test('idle and total limits end a terminal', async (t) => {
	const idle = withSessions(t);
	idle.sessions.open('stream-1', {...terminal, idleTimeoutMs: 300});
	await eventually('idle', () => idle.closed());
	t.like(idle.closed(), {reason: {code: 'DIAGNOSTICS_STREAM_IDLE'}});
	const total = withSessions(t);
	total.sessions.open('stream-1', {...terminal, totalTimeoutMs: 400});
	for (let turn = 0; total.closed() === undefined && turn < 100; turn += 1) {
		total.page.write(' ');
		await sleep(50);
	}
	t.like(total.closed(), {reason: {code: 'DIAGNOSTICS_STREAM_EXPIRED'}});
});

test('more streams than a box serves are refused', (t) => {
	const {sessions} = withSessions(t);
	for (const name of ['a', 'b', 'c', 'd']) {
		sessions.open(name, {kind: 'log', tail: 0});
	}
	t.throws(() => sessions.open('e', {kind: 'log', tail: 0}), {code: 'DIAGNOSTICS_STREAMS_TOO_MANY'});
	t.notThrows(() => sessions.open('a', {kind: 'log', tail: 0}));
});

test('a log begins with its past and follows, filtered', async (t) => {
	const {sessions, ring, text} = withSessions(t);
	const print = (level: number, msg: string, name = 'stb') =>
		ring.take(name, `${JSON.stringify({level, name, msg})}\n`);
	print(30, 'past information');
	print(50, 'past error of tuner');
	print(50, 'past error of cache', 'headend');
	sessions.open('stream-1', {kind: 'log', service: 'stb', levelMin: 'warn', contains: 'TUNER', tail: 10});
	await eventually('the past', () => text().includes('past error of tuner'));
	print(30, 'tuner information');
	print(40, 'tuner warning');
	await eventually('the present', () => text().includes('tuner warning'));
	t.is(text().trim().split('\n').length, 2);
});

import test from 'ava';
import {fetchLimits} from '#ota/agent/fetch/fetch-limits.ts';
import {requestBytes} from '#ota/agent/fetch/request-bytes.ts';
import {createAgentKeeper} from '#ota/member/keep-agent.ts';
import {withMisbehavingServer} from '#test/helper/with-misbehaving-server.ts';

const signal = AbortSignal.timeout(30_000);
const tls = {key: 'key', cert: 'certificate', ca: 'authority'};

test('the ranges of an update come over one connection', async (t) => {
	const ports = new Set<number | undefined>();
	const server = await withMisbehavingServer(t, {
		bytes: Buffer.alloc(100_000),
		answer: ({request, honest}) => {
			ports.add(request.socket.remotePort);
			honest();
		},
	});
	const ca = String(server.agent.options.ca);
	// Each time anew, as the box's state tells it.
	const agentOf = createAgentKeeper(() => ({ca, key: undefined, cert: undefined}) as never, {signal});
	for (let from = 0; from < 50_000; from += 1000) {
		let received = 0;
		await requestBytes(
			{url: server.url, headers: {range: `bytes=${from}-${from + 99}`}, agent: agentOf(), limits: fetchLimits, signal},
			() => undefined,
			(bytes) => {
				received += bytes.length;
				return Promise.resolve();
			},
		);
		t.is(received, 100);
	}
	t.is(server.asked(), 50);
	t.is(ports.size, 1);
});

test('another certificate has an agent of its own, and that of the old one is left', (t) => {
	let now: typeof tls | undefined;
	const stop = new AbortController();
	const agentOf = createAgentKeeper(() => now && {...now}, {signal: stop.signal});
	t.is(agentOf(), undefined);
	now = tls;
	const first = agentOf();
	t.is(agentOf(), first);
	now = {...tls, cert: 'renewed'};
	const second = agentOf();
	t.not(second, first);
	t.is(agentOf(), second);
	t.is(second?.options.cert, 'renewed');
	now = undefined;
	t.is(agentOf(), undefined);
});

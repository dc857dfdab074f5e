import {randomBytes} from 'node:crypto';
import {join} from 'node:path';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {StartAgentOptions} from '#ota/agent/agent.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import {createBundleShelf} from '#ota/agent/bundle-shelf.ts';
import {executeEffect} from '#ota/agent/execute-effect.ts';
import {settleOptions} from '#ota/agent/settled-options.ts';
import {sampleOrder, sampleVerify} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withMisbehavingServer} from '#test/helper/with-misbehaving-server.ts';

const blockSizeBytes = 4096;
const bytes = randomBytes(2 * blockSizeBytes);

test('an order whose list of blocks does not come takes the whole bundle at its last attempt', async (t) => {
	const stateDirectory = await withDirectory(t);
	const {url, agent} = await withMisbehavingServer(t, {
		bytes,
		answer: (asked) => {
			if (asked.request.url?.endsWith('blocks') === true) {
				asked.response.writeHead(503).end();
			} else {
				asked.honest();
			}
		},
	});
	const store = openAgentStore(join(stateDirectory, 'agent.db'));
	t.teardown(() => store[Symbol.dispose]());
	const {signal} = new AbortController();
	const options = settleOptions({
		...{stateDirectory, kind: 'stb', compatible: 'bench', format: 'directory', verify: sampleVerify},
		sources: {httpsAgent: () => agent, limits: {retriesMax: 1, retryInitialMs: 1, retryMaxMs: 1}},
		logger: silentLogger(),
		signal,
	} as Partial<StartAgentOptions> as StartAgentOptions);
	const blocks = {blockSizeBytes, sizeBytes: 64, sha256: '0'.repeat(64)};
	const sources = [
		{kind: 'blocks', url: `${url}/blocks`},
		{kind: 'https', url},
	];
	const order = sampleOrder({bytes, bundle: {blocks}, order: {sources, attemptsMax: 2}});
	const shelf = createBundleShelf(options, store);
	const spent = {carousel: 0, local: 0, unicast: 0};
	for (const [attempt, outcome] of [
		[1, {kind: 'failed', retryable: true, bytes: spent}],
		[2, {kind: 'fetched', bytes: {...spent, unicast: bytes.length}}],
	] as const) {
		const job = {order, origin: 'fleet', attempt, steps: 0, restarts: 0, bootId: 'boot-1', bytes: spent} as const;
		const state = {kind: 'fetching', job, sinceMs: 0} as const;
		t.like(await executeEffect('fetch', {state, options, shelf, signal}), outcome);
	}
});

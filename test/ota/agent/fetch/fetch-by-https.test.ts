import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {hasCode} from '#appliance/error/coded-error.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {FetchProgress} from '#ota/agent/agent-store.ts';
import {fetchBundle} from '#ota/agent/fetch/fetch-bundle.ts';
import {sampleOrder, sampleVerify, sha256Of} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type Asked, withMisbehavingServer} from '#test/helper/with-misbehaving-server.ts';

const bytes = randomBytes(100_000);
const garbled = Buffer.from(bytes);
garbled[50_000] = (garbled[50_000] ?? 0) ^ 0xff;

type Wanted = {
	readonly answer: (asked: Asked) => void;
	/** Undefined: the whole bundle comes. */
	readonly code?: string;
	readonly retryable?: boolean;
	readonly requestsMax?: number;
	readonly requestsMin?: number;
	readonly unicastMax?: number;
	readonly budget?: number;
	readonly idleTimeoutMs?: number;
	readonly slowWindowMs?: number;
};

const half = ({response, from, to}: Asked): void => {
	response.writeHead(206, {
		etag: '"v1"',
		'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
		'content-length': String(to - from),
	});
	response.write(bytes.subarray(from, from + Math.ceil((to - from) / 2)), () => response.destroy());
};
const once =
	(first: (asked: Asked) => void): ((asked: Asked) => void) =>
	(asked) =>
		asked.count === 0 ? first(asked) : asked.honest();
const status =
	(code: number, headers: Record<string, string> = {}) =>
	({response}: Asked): void => {
		response.writeHead(code, headers);
		response.end('no');
	};
const edited =
	(headers: Record<string, string | undefined>) =>
	({honest}: Asked): void =>
		honest({headers});
const page = ({response}: Asked): void => {
	response.writeHead(200, {'content-type': 'text/html'});
	response.end('<html>Please log in</html>');
};

const table: Record<string, Wanted> = {
	'an honest server': {answer: ({honest}) => honest(), requestsMax: 1, unicastMax: bytes.length},
	'a connection that breaks off in the middle, once': {answer: once(half), requestsMax: 2, unicastMax: bytes.length},
	'a connection that always breaks off in the middle': {answer: half, unicastMax: bytes.length},
	'a server that is down three times': {
		answer: (asked) => (asked.count < 3 ? asked.response.destroy() : asked.honest()),
		requestsMax: 4,
	},
	'a server that stays down': {
		answer: ({response}) => response.destroy(),
		code: 'OTA_FAILED_FETCH',
		retryable: true,
		requestsMax: 6,
		unicastMax: 0,
	},
	'a server that never answers': {
		idleTimeoutMs: 100,
		answer: () => undefined,
		code: 'OTA_FAILED_FETCH',
		retryable: true,
		requestsMax: 6,
	},
	// Of these two, a busy machine may be late once more, or twice.
	'a server that answers late once': {idleTimeoutMs: 1500, answer: once(() => undefined), requestsMax: 4},
	'a slow-loris': {
		slowWindowMs: 1500,
		answer: once(({response, from, to}) => {
			response.writeHead(206, {'content-range': `bytes ${from}-${to - 1}/${bytes.length}`, etag: '"v1"'});
			let sent = from;
			const timer = setInterval(() => response.write(bytes.subarray(sent, ++sent)), 20);
			response.on('close', () => clearInterval(timer));
		}),
		requestsMax: 4,
		unicastMax: bytes.length,
	},
	'a server without ranges': {
		answer: ({honest}) => honest({status: 200, headers: {'content-range': undefined}, body: bytes}),
		requestsMax: 1,
		unicastMax: bytes.length,
	},
	'a server that loses its ranges after a break, where the budget covers the whole': {
		answer: (asked) =>
			asked.count === 0 ? half(asked) : asked.honest({status: 200, headers: {'content-range': undefined}, body: bytes}),
		requestsMax: 2,
		unicastMax: bytes.length * 1.5,
	},
	'a server that loses its ranges after a break, where the budget does not': {
		answer: (asked) =>
			asked.count === 0 ? half(asked) : asked.honest({status: 200, headers: {'content-range': undefined}, body: bytes}),
		budget: bytes.length,
		code: 'OTA_FAILED_BUDGET',
		requestsMax: 2,
		unicastMax: bytes.length,
	},
	'a budget that does not cover the bundle': {
		answer: ({honest}) => honest(),
		budget: bytes.length - 1,
		code: 'OTA_FAILED_BUDGET',
		requestsMax: 0,
	},
	'404': {answer: status(404), code: 'OTA_FAILED_FETCH', retryable: false, requestsMax: 1},
	'403': {answer: status(403), code: 'OTA_FAILED_FETCH', retryable: false, requestsMax: 1},
	'400': {answer: status(400), code: 'OTA_FAILED_FETCH', retryable: false, requestsMax: 1},
	'416': {answer: status(416), code: 'OTA_FAILED_FETCH', retryable: false, requestsMax: 1},
	'429 with Retry-After in seconds': {answer: once(status(429, {'retry-after': '0'})), requestsMax: 2},
	'429 with Retry-After as a date': {
		answer: once(status(429, {'retry-after': new Date(0).toUTCString()})),
		requestsMax: 2,
	},
	'429 without Retry-After': {answer: once(status(429)), requestsMax: 2},
	'429 for ever': {answer: status(429), code: 'OTA_FAILED_FETCH', retryable: true, requestsMax: 6},
	'500 each second time': {
		answer: (asked) => (asked.count % 2 === 0 ? status(500)(asked) : half(asked)),
		unicastMax: bytes.length,
	},
	'503 for ever': {answer: status(503), code: 'OTA_FAILED_FETCH', retryable: true, requestsMax: 6},
	'204': {answer: status(204), code: 'OTA_FAILED_FETCH', retryable: true, requestsMax: 6},
	'304': {answer: once(status(304)), requestsMax: 2},
	'a redirect, which is not followed': {
		answer: status(302, {location: 'https://127.0.0.1:1/'}),
		code: 'OTA_FAILED_FETCH',
		retryable: true,
	},
	'a captive portal that goes away': {answer: once(page), requestsMax: 2},
	'a captive portal that stays': {answer: page, code: 'OTA_FAILED_FETCH', retryable: true, requestsMax: 6},
	'a range that begins too early': {
		answer: once(({honest, from, to}) =>
			honest({
				headers: {'content-range': `bytes ${from}-${to - 2}/${bytes.length}`},
				body: bytes.subarray(from, to - 1),
			}),
		),
		requestsMax: 2,
		unicastMax: bytes.length,
	},
	'a range that begins too late': {
		answer: once(({honest, to}) =>
			honest({headers: {'content-range': `bytes 10-${to - 1}/${bytes.length}`}, body: bytes.subarray(10)}),
		),
		requestsMax: 2,
	},
	'no Content-Range': {answer: once(edited({'content-range': undefined})), requestsMax: 2},
	'an empty Content-Range': {answer: once(edited({'content-range': ''})), requestsMax: 2},
	'a malformed Content-Range': {answer: once(edited({'content-range': 'bytes abc-def/ghi'})), requestsMax: 2},
	'a negative Content-Range': {answer: once(edited({'content-range': 'bytes -5-10/100000'})), requestsMax: 2},
	'too many ranges in Content-Range': {
		answer: once(edited({'content-range': 'bytes 0-1,5-99999/100000'})),
		requestsMax: 2,
	},
	'a Content-Range of another length': {
		answer: once(edited({'content-range': 'bytes 0-99999/100001'})),
		requestsMax: 2,
	},
	'a range longer than was asked for': {
		answer: once(edited({'content-range': 'bytes 0-100000/100001'})),
		requestsMax: 2,
	},
	'a Content-Length that is too small': {
		answer: once(({honest}) => honest({headers: {'content-length': '10'}, body: bytes.subarray(0, 10)})),
		requestsMax: 2,
	},
	'a body that ends before its Content-Length': {answer: once(half), requestsMax: 2},
	'no Content-Length': {answer: once(edited({'content-length': undefined})), requestsMax: 1},
	'more bytes than the range has': {
		answer: once(({response}) => {
			response.writeHead(206, {'content-range': 'bytes 0-99999/100000', etag: '"v1"'});
			response.end(Buffer.concat([bytes, Buffer.alloc(5000)]));
		}),
		unicastMax: bytes.length + 5000,
	},
	'an encoding that nobody asked for': {answer: once(edited({'content-encoding': 'gzip'})), requestsMax: 2},
	'an ETag that changes under way': {
		answer: (asked) => (asked.count === 0 ? half(asked) : asked.honest({headers: {etag: '"v2"'}})),
		requestsMax: 3,
	},
	'an ETag that changes each time': {
		answer: (asked) => (asked.count % 2 === 0 ? half(asked) : asked.honest({headers: {etag: `"${asked.count}"`}})),
		code: 'OTA_FAILED_FETCH',
		requestsMax: 12,
	},
	'If-Range that does not hold any more, and the new whole': {
		answer: (asked) =>
			asked.ifRange === undefined
				? half(asked)
				: asked.honest({status: 200, headers: {'content-range': undefined, etag: '"v2"'}, body: garbled}),
		code: 'OTA_FAILED_FETCH',
	},
	'garbled bytes': {
		answer: ({honest, from, to}) => honest({body: garbled.subarray(from, to)}),
		code: 'OTA_FAILED_DIGEST',
		retryable: true,
		requestsMax: 1,
	},
};

for (const [what, wanted] of Object.entries(table)) {
	test(`fetching copes with ${what}`, async (t) => {
		const server = await withMisbehavingServer(t, {bytes, answer: wanted.answer});
		const directory = await withDirectory(t);
		const order = sampleOrder({
			bytes,
			order: {
				deadlines: {fetchMs: 30_000, installMs: 5000, rebootMs: 5000, confirmMs: 5000},
				sources: [{kind: 'https', url: server.url}],
				byteBudgetBytes: wanted.budget ?? 4 * bytes.length,
			},
		});
		const [bundle] = sampleVerify(order).bundles;
		t.truthy(bundle);
		let progress: FetchProgress | undefined;
		const path = join(directory, 'bundle.part');
		const fetching = fetchBundle({
			order,
			bundle: bundle as NonNullable<typeof bundle>,
			path,
			local: [],
			progress,
			keepProgress: (kept) => {
				progress = kept;
			},
			httpsAgent: () => server.agent,
			limits: {
				idleTimeoutMs: wanted.idleTimeoutMs ?? 8000,
				slowWindowMs: wanted.slowWindowMs ?? 8000,
				slowBytesMin: 500,
				retriesMax: 5,
				retryInitialMs: 1,
				retryMaxMs: 4,
				checkpointBytes: 10_000,
			},
			clock: systemClock,
			random: Math.random,
			logger: silentLogger(),
			signal: AbortSignal.timeout(30_000),
		});
		if (wanted.code === undefined) {
			await fetching;
			t.is(sha256Of(await readFile(path)), sha256Of(bytes));
			t.deepEqual(progress?.ranges, [[0, bytes.length]]);
		} else {
			const error = await t.throwsAsync(fetching, {code: wanted.code});
			if (wanted.retryable !== undefined) {
				t.is((error as Error & {retryable: boolean}).retryable, wanted.retryable);
			}
			t.true(hasCode(error, wanted.code));
		}
		t.true(server.asked() <= (wanted.requestsMax ?? 100), `${server.asked()} requests`);
		t.true(
			(progress?.bytes.unicast ?? 0) <= (wanted.unicastMax ?? Number.POSITIVE_INFINITY),
			`${progress?.bytes.unicast} bytes`,
		);
	});
}

import {randomBytes} from 'node:crypto';
import type {RequestListener} from 'node:http';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import type {RepairTarget} from '#stb/repair/repair-target.ts';
import {createRepairer} from '#stb/repair/repairer.ts';
import {withHttpHandler} from '#test/helper/with-http-handler.ts';

const sizeBytes = 100_000;
const bytes = randomBytes(sizeBytes);

/** A wholly missing object at a server of this behaviour. */
const withOutage = async (t: ExecutionContext, options: {handler: RequestListener; repair?: object; size?: number}) => {
	const url = await withHttpHandler(t, options.handler);
	let missingBytes = options.size ?? sizeBytes;
	const target: RepairTarget = {
		...{uri: 'http://dvb.gw/streamverse/a', sizeBytes: missingBytes, rank: 1},
		source: {
			objectBaseUri: 'http://dvb.gw/streamverse/',
			servers: [{url, weight: 1}],
			...{fixedBackOffMs: 0, randomBackOffMs: 0},
		},
		missing: () => (missingBytes === 0 ? [] : [{offset: 0, length: missingBytes}]),
		write: (_, piece) => {
			missingBytes -= piece.length;
		},
	};
	const {repair} = stbConfigSchema.parse({
		repair: {attemptsMax: 4, retryDelayMinMs: 10, retryDelayMaxMs: 20, ...options.repair},
	});
	const repairer = createRepairer({config: repair, clock: systemClock, logger: silentLogger()});
	return {repairer, fill: async () => await repairer.fill(target, {signal: AbortSignal.timeout(20_000)})};
};

test('an outage does not use the hour’s budget up', async (t) => {
	let requests = 0;
	const {fill, repairer} = await withOutage(t, {
		repair: {budgetBytesPerHour: sizeBytes},
		handler: (_, response) => {
			requests += 1;
			if (requests < 3) {
				response.writeHead(500).end();
			} else {
				response.end(bytes);
			}
		},
	});
	await t.notThrowsAsync(fill());
	t.is(repairer.stats().failures, 2);
});

test('a repair server’s redirection is not followed', async (t) => {
	const asked: string[] = [];
	const elsewhere = await withHttpHandler(t, (request, response) => {
		asked.push(request.url ?? '');
		response.end(bytes);
	});
	const {fill} = await withOutage(t, {
		handler: (_, response) => void response.writeHead(302, {location: `${elsewhere}secret`}).end(),
	});
	await t.throwsAsync(fill(), {code: 'STB_REPAIR_SERVER_FAILED'});
	t.deepEqual(asked, []);
});

test('several ranges are not gathered in memory without end', async (t) => {
	const piece = Buffer.alloc(1_000_000);
	let sent = 0;
	const {fill} = await withOutage(t, {
		size: 8_000_000_000,
		repair: {attemptsMax: 1},
		handler: (_, response) => {
			response.writeHead(206, {'content-type': 'multipart/byteranges; boundary=x'});
			const pump = (): void => {
				while (sent < 64 && !response.destroyed) {
					sent += 1;
					if (!response.write(piece)) {
						response.once('drain', pump);
						return;
					}
				}
				response.end();
			};
			pump();
		},
	});
	await t.throwsAsync(fill(), {code: 'STB_REPAIR_RESPONSE_INVALID'});
	t.true(sent < 64, `${sent} MB`);
});

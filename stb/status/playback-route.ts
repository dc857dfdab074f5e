import type {IncomingMessage} from 'node:http';
import type Router from '@koa/router';
import {type PlaybackReport, playbackReportSchema} from '#appliance/contract/playback-report.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';

const bodyBytesMax = 4096;
const bodyTimeoutMs = 5000;
/** A home has a few players, each of which reports twice a minute. */
const burstMax = 20;
const perMs = 3000;

/** POST /box/playback: what a player of the home tells of itself, for the fleet. What is too much is thrown away. */
export const mountPlayback = (
	router: Router,
	{tell, clock}: {readonly tell: (report: PlaybackReport) => void; readonly clock: Clock},
): void => {
	let allowance = burstMax;
	let filledMs = clock.monotonicMs();
	router.post('/box/playback', async (context) => {
		// A page of another site cannot send JSON to us without our consent (Fetch standard, section 3.2).
		if (context.is('application/json') === false) {
			throw new CodedError('HTTP_BAD_REQUEST', {message: 'A report is application/json.'});
		}
		const report = parse(await readBody(context.req));
		const nowMs = clock.monotonicMs();
		allowance = Math.min(burstMax, allowance + (nowMs - filledMs) / perMs);
		filledMs = nowMs;
		if (allowance < 1) {
			throw new CodedError('HTTP_TOO_MANY_REQUESTS', {message: 'The players of this home report too often.'});
		}
		allowance -= 1;
		tell(report);
		context.status = 204;
	});
};

const parse = (text: string): PlaybackReport => {
	try {
		return playbackReportSchema.parse(JSON.parse(text));
	} catch (error) {
		throw new CodedError('HTTP_BAD_REQUEST', {message: 'This is no report of a player.', cause: error});
	}
};

const readBody = async (request: IncomingMessage): Promise<string> => {
	request.setTimeout(bodyTimeoutMs, () => request.destroy());
	const chunks: Buffer[] = [];
	let sizeBytes = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		sizeBytes += chunk.length;
		if (sizeBytes > bodyBytesMax) {
			throw new CodedError('HTTP_TOO_LARGE', {message: `A report has at most ${bodyBytesMax} bytes.`});
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
};

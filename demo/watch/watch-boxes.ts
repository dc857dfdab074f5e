import {z} from 'zod';
import {type HeadendStatus, headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {type StbStatus, stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {BoxPlan} from '#demo/box/box-files.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import type {LinkStats} from '#demo/link/link-stats.ts';
import type {Link} from '#demo/link/start-link.ts';

const answerTimeoutMs = 5000;
const watchIntervalMs = 500;

/** What the three boxes and the link say at one moment; a box that does not answer is absent. */
export type DemoSnapshot = {
	readonly headend?: HeadendStatus;
	readonly stb?: StbStatus;
	readonly link: LinkStats;
};

/** GET of a box's JSON, by its contract. */
export const askBox = async <Output>(
	url: string,
	schema: z.ZodType<Output>,
	signal: AbortSignal = AbortSignal.timeout(answerTimeoutMs),
): Promise<Output> => {
	const response = await fetch(url, {signal});
	if (!response.ok) {
		throw new CodedError<DemoErrorCode>('DEMO_ANSWER_INVALID', {
			message: `${url} answers ${response.status}.`,
			details: {url, status: response.status},
			retryable: true,
		});
	}
	const parsed = schema.safeParse(await response.json());
	if (!parsed.success) {
		throw new CodedError<DemoErrorCode>('DEMO_ANSWER_INVALID', {
			message: `${url} does not answer by its contract: ${z.prettifyError(parsed.error)}`,
			cause: parsed.error,
			details: {url},
		});
	}
	return parsed.data;
};

const orUndefined = async <Output>(answer: Promise<Output>): Promise<Output | undefined> => {
	try {
		return await answer;
	} catch {
		return undefined;
	}
};

export const takeSnapshot = async (plan: BoxPlan, link: Link): Promise<DemoSnapshot> => {
	const [headend, stb] = await Promise.all([
		orUndefined(askBox(`${plan.urls.headend}/status`, headendStatusSchema)),
		orUndefined(askBox(`${plan.urls.stb}/box/status`, stbStatusSchema)),
	]);
	return {link: link.stats(), ...(headend === undefined ? {} : {headend}), ...(stb === undefined ? {} : {stb})};
};

/** Calls back with a new snapshot about twice a second until the signal aborts. */
export const watchBoxes = async (options: {
	readonly plan: BoxPlan;
	readonly link: Link;
	readonly signal: AbortSignal;
	readonly onSnapshot: (snapshot: DemoSnapshot) => void;
}): Promise<void> => {
	const {plan, link, signal, onSnapshot} = options;
	while (!signal.aborted) {
		onSnapshot(await takeSnapshot(plan, link));
		await sleep(watchIntervalMs, {signal}).catch(() => undefined);
	}
};

import type {CommissionState, Signal} from '../commission-schema.ts';

const readTimeoutMs = 4000;
/** A hand is on the dish; and longer than the box itself waits for its tuner's role. */
const signalTimeoutMs = 2000;
const writeTimeoutMs = 15_000;

/** What the box answers to a request that it refuses (RFC 9457). */
type Problem = {readonly title?: string};

const read = async <Answer>(path: string, timeoutMs: number): Promise<Answer> => {
	const response = await fetch(path, {signal: AbortSignal.timeout(timeoutMs)});
	if (!response.ok) {
		throw new Error(`The box answered ${response.status}.`);
	}
	return (await response.json()) as Answer;
};

export const readState = (): Promise<CommissionState> => read('/api/state', readTimeoutMs);
export const readSignal = (): Promise<Signal> => read('/api/signal', signalTimeoutMs);

/** Rejects with the box's own sentence. */
export const write = async <Answer>(path: string, body: unknown): Promise<Answer> => {
	const response = await fetch(path, {
		method: 'POST',
		headers: {'Content-Type': 'application/json'},
		body: JSON.stringify(body),
		signal: AbortSignal.timeout(writeTimeoutMs),
	});
	const answer: unknown = await response.json();
	if (!response.ok) {
		throw new Error((answer as Problem).title ?? `The box answered ${response.status}.`);
	}
	return answer as Answer;
};

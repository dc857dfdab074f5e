import type {Problem} from '#ota/contract/problem.ts';
import {setSession} from './session.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;

export type RequestOptions = {
	readonly query?: Query;
	readonly body?: unknown;
	/** The ETag that was read, for changes that must not overwrite somebody else's. */
	readonly ifMatch?: string | undefined;
	readonly signal?: AbortSignal;
};

export type Answer<Body> = {readonly body: Body; readonly etag: string | undefined};

/** A refusal of the server, or no answer at all (`status` 0). */
export class RequestError extends Error {
	readonly problem: Problem;

	constructor(problem: Problem, options?: ErrorOptions) {
		super(problem.title, options);
		this.problem = problem;
	}
}

export const apiPath = (path: string, query: Query = {}): string => {
	const pairs = Object.entries(query).flatMap(([name, value]) =>
		value === undefined || value === '' ? [] : [[name, String(value)]],
	);
	return `/api/v1${path}${pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`}`;
};

/** How long the page waits for an answer before it says that none came. */
const answerMsMax = 30_000;

export const request = async <Body>(
	method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
	path: string,
	options: RequestOptions = {},
): Promise<Answer<Body>> => {
	const {signal} = options;
	const deadline = AbortSignal.timeout(answerMsMax);
	const response = await fetchApi(method, path, {
		...options,
		signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
		isGivenUp: () => signal?.aborted ?? false,
	});
	const text = await response.text();
	return {
		body: (text === '' ? undefined : JSON.parse(text)) as Body,
		etag: response.headers.get('etag') ?? undefined,
	};
};

/** The answer as it begins; a refusal is thrown. `isGivenUp` tells an answer that nobody waits for from one that is late. */
export const fetchApi = async (
	method: string,
	path: string,
	options: RequestOptions & {readonly signal: AbortSignal; readonly isGivenUp: () => boolean},
): Promise<Response> => {
	const {query, body, ifMatch, signal, isGivenUp} = options;
	const response = await fetch(apiPath(path, query), {
		method,
		signal,
		headers: {
			accept: 'application/json',
			...(body === undefined ? {} : {'content-type': 'application/json'}),
			...(ifMatch === undefined ? {} : {'if-match': ifMatch}),
		},
		...(body === undefined ? {} : {body: JSON.stringify(body)}),
	}).catch((error: unknown) => {
		if (isGivenUp()) {
			throw error;
		}
		throw new RequestError(
			{type: 'about:blank', status: 599, code: 'CONSOLE_NO_ANSWER', title: 'The fleet server does not answer.'},
			{cause: error},
		);
	});
	if (!response.ok) {
		throw await refusalOf(response, path);
	}
	return response;
};

const refusalOf = async (response: Response, path: string): Promise<RequestError> => {
	const problem: Problem = await response
		.json()
		.then((body: Problem) => (typeof body.title === 'string' ? body : unexplained(response.status)))
		.catch(() => unexplained(response.status));
	if (response.status === 401 && path !== '/session') {
		setSession(null);
	}
	return new RequestError(problem);
};

const unexplained = (status: number): Problem => ({
	type: 'about:blank',
	status,
	code: `HTTP_${status}`,
	title: `The fleet server answered ${status}.`,
});

/** What to show a person. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

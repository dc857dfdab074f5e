import Router from '@koa/router';
import type {Context, Middleware} from 'koa';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import {statusOf} from '#appliance/http/create-app.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {type Problem, problemContentType, problemSchema} from '#ota/contract/problem.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {AnyEndpoint} from '#ota/fleet/api/endpoint.ts';
import type {Authenticate} from '#ota/fleet/api/identity.ts';
import {openApiOf} from '#ota/fleet/api/openapi.ts';
import {createRateLimiter, type RateLimit} from '#ota/fleet/api/rate-limiter.ts';
import {runEndpoint} from '#ota/fleet/api/run-endpoint.ts';
import type {WriteAudit} from '#ota/fleet/audit/audit-entry.ts';

export const apiRoot = '/api/v1';

/** Per account. A page of the console asks about ten things at once. */
const accountLimit: RateLimit = {burst: 200, perSecond: 50};
/** Per address, for what carries no valid account: sign-ins and guesses. */
const anonymousLimit: RateLimit = {burst: 30, perSecond: 1};

export type ApiOptions = {
	readonly endpoints: readonly AnyEndpoint[];
	readonly authenticate: Authenticate;
	readonly writeAudit: WriteAudit;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	/** Where people reach the server, when a proxy stands before it. */
	readonly publicUrl?: string;
	readonly accountLimit?: RateLimit;
	readonly anonymousLimit?: RateLimit;
};

/** The HTTP API from its descriptions: every rule that holds for all of them is applied here. */
export const createApi = (options: ApiOptions): Router => {
	const {endpoints} = options;
	const router = new Router({prefix: apiRoot});
	router.use(securityHeaders, answerProblems(options.logger));
	const document = JSON.stringify(openApiOf(endpoints));
	router.get('/openapi.json', (context) => {
		context.type = 'application/json';
		context.body = document;
	});
	const shared = {
		...options,
		accountLimiter: createRateLimiter(options.accountLimit ?? accountLimit, options),
		anonymousLimiter: createRateLimiter(options.anonymousLimit ?? anonymousLimit, options),
	};
	for (const endpoint of endpoints.toSorted(literalFirst)) {
		router.register(koaPath(endpoint.path), [endpoint.method.toLowerCase()], (context) =>
			runEndpoint(endpoint, context, shared),
		);
	}
	router.all('/{*rest}', (context) => refuseUnknown(context, endpoints));
	return router;
};

const koaPath = (path: string): string => path.replaceAll(/\{(\w+)\}/gu, ':$1');

/** `/boxes/export` is asked before `/boxes/{id}`. */
const literalFirst = (one: AnyEndpoint, other: AnyEndpoint): number =>
	Number(one.path.includes('{')) - Number(other.path.includes('{')) ||
	one.path.split('{').length - other.path.split('{').length;

/** A path that is there for other methods is 405 with what it allows (RFC 9110 section 15.5.6). */
const refuseUnknown = (context: Context, endpoints: readonly AnyEndpoint[]): never => {
	const path = context.path.slice(apiRoot.length);
	const methods = endpoints
		.filter((endpoint) => new RegExp(`^${endpoint.path.replaceAll(/\{\w+\}/gu, '[^/]+')}$`, 'u').test(path))
		.map(({method}) => method);
	if (methods.length > 0) {
		context.set('Allow', [...new Set(methods)].join(', '));
		throw apiError('OTA_API_METHOD_UNKNOWN', {status: 405, message: 'This path does not take this method.'});
	}
	throw apiError('OTA_API_NOT_FOUND', {status: 404, message: 'The API has no such path; openapi.json lists them.'});
};

/** Answers are data: no browser may guess another type, frame them, keep them, or load anything from them. */
const securityHeaders: Middleware = async (context, next) => {
	context.set({
		'Cache-Control': 'no-store',
		'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
		'Cross-Origin-Resource-Policy': 'same-origin',
		'Referrer-Policy': 'no-referrer',
		'X-Content-Type-Options': 'nosniff',
		'X-Frame-Options': 'DENY',
		...(context.secure ? {'Strict-Transport-Security': 'max-age=31536000'} : {}),
	});
	await next();
};

const answerProblems =
	(logger: Logger): Middleware =>
	async (context, next) => {
		try {
			await next();
		} catch (error) {
			if (context.headerSent) {
				throw error;
			}
			const problem = problemOf(error);
			const level = problem.status < 500 ? 'debug' : problem.status === 500 ? 'error' : 'warn';
			logger[level]({err: error, method: context.method, path: context.path}, 'request refused');
			if (problem.retryAfterSeconds !== undefined) {
				context.set('Retry-After', String(problem.retryAfterSeconds));
			}
			if (problem.status === 401) {
				context.set('WWW-Authenticate', 'Bearer');
			}
			// What is left of a body that was refused half-way is not read: the connection ends with the answer.
			if (!context.req.complete) {
				context.set('Connection', 'close');
			}
			context.status = problem.status;
			context.body = JSON.stringify(problem);
			context.type = problemContentType;
		}
	};

/** What is told of an error: codes and sentences of ours, never a stack or the words of the database. */
export const problemOf = (error: unknown): Problem => {
	// Whoever wrote a filter that is none is told so, wherever it was parsed.
	const status = errorCode(error)?.startsWith('APPLIANCE_FILTER_') ? 400 : statusOf(error);
	const hidden = !(error instanceof CodedError) && status >= 500;
	const details = error instanceof CodedError ? error.details : {};
	const problem = {
		type: 'about:blank',
		status,
		code: hidden ? 'OTA_API_INTERNAL' : (errorCode(error) ?? `HTTP_${status}`),
		title: hidden ? 'This request failed inside the server; its log says why.' : errorMessage(error),
	};
	const whole = problemSchema.safeParse({
		...problem,
		errors: details['errors'],
		retryAfterSeconds: details['retryAfterSeconds'],
	});
	return whole.success ? whole.data : problem;
};

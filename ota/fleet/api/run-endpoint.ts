import type {Context} from 'koa';
import {errorCode} from '#appliance/error/coded-error.ts';
import {statusOf} from '#appliance/http/create-app.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import {auditDetailOf} from '#ota/fleet/api/audit-detail.ts';
import type {ApiOptions} from '#ota/fleet/api/create-api.ts';
import type {AnyEndpoint, EndpointAnswer, EndpointRequest} from '#ota/fleet/api/endpoint.ts';
import {anonymous, type Identity, mayDo} from '#ota/fleet/api/identity.ts';
import {parseIfMatch, parseRequestPart} from '#ota/fleet/api/parse-request.ts';
import type {RateLimiter} from '#ota/fleet/api/rate-limiter.ts';
import {readJsonBody} from '#ota/fleet/api/read-json-body.ts';
import {isSameOrigin} from '#ota/fleet/api/same-origin.ts';
import type {AuditEntry} from '#ota/fleet/audit/audit-entry.ts';

export type SharedGuards = ApiOptions & {
	readonly accountLimiter: RateLimiter;
	readonly anonymousLimiter: RateLimiter;
};

/**
 * Who it is, whether they may, what they want. That they begin is written down before the handler, and what came of it
 * after: of an act whose server ended half-way the first row is there, and says that it has no end.
 */
export const runEndpoint = async (endpoint: AnyEndpoint, context: Context, shared: SharedGuards): Promise<void> => {
	const identity = await shared.authenticate(context.req.headers);
	limitRate(identity, context, shared);
	const actor = identity?.actor ?? anonymous;
	const act: Act = {box: undefined, detail: 'null', actor, intent: undefined};
	let answer: EndpointAnswer<unknown>;
	try {
		allow(endpoint, identity, context, shared.publicUrl);
		const request = await readRequest(endpoint, context, act, shared.signal);
		act.intent = await audit(endpoint, context, act, shared, {outcome: 'begun', status: 0});
		answer = await endpoint.handle(request);
	} catch (error) {
		// Who is nobody could fill the log at will; their failed sign-ins are the only acts of theirs that count.
		if (identity !== undefined || endpoint.role === 'anyone') {
			const status = statusOf(error);
			const outcome = status < 500 ? 'refused' : 'failed';
			await audit(endpoint, context, act, shared, {outcome, status, code: errorCode(error) ?? null});
		}
		throw error;
	}
	act.actor = answer.actor ?? actor;
	if (answer.audited !== undefined) {
		act.detail = auditDetailOf({asked: JSON.parse(act.detail), ...answer.audited});
	}
	await audit(endpoint, context, act, shared, {outcome: 'done', status: answer.status ?? 200});
	send(endpoint, context, answer);
};

/** What the audit log will say; filled in as it becomes known. */
type Act = {
	box: string | undefined;
	detail: string;
	actor: Identity['actor'];
	/** The row that says that it began. */
	intent: number | undefined;
};

const limitRate = (identity: Identity | undefined, context: Context, shared: SharedGuards): void => {
	const waitSeconds =
		identity === undefined
			? shared.anonymousLimiter.take(context.ip)
			: shared.accountLimiter.take(`${identity.kind}:${identity.actor.id}`);
	if (waitSeconds > 0) {
		throw apiError('OTA_API_TOO_MANY_REQUESTS', {
			status: 429,
			message: 'Too many requests: wait as Retry-After says.',
			retryAfterSeconds: waitSeconds,
		});
	}
};

const allow = (
	endpoint: AnyEndpoint,
	identity: Identity | undefined,
	context: Context,
	publicUrl: string | undefined,
): void => {
	// By a token no browser is fooled; by a cookie, and at the sign-in that gives one, it could be.
	if (endpoint.method !== 'GET' && identity?.kind !== 'token' && !isSameOrigin(context.req.headers, publicUrl)) {
		throw apiError('OTA_API_ORIGIN_FOREIGN', {status: 403, message: 'Another site sent this request; it is refused.'});
	}
	if (endpoint.role === 'anyone') {
		return;
	}
	if (identity === undefined) {
		throw apiError('OTA_API_UNAUTHENTICATED', {status: 401, message: 'Sign in, or send a valid API token.'});
	}
	if (identity.mustChangePassword) {
		throw apiError('OTA_API_PASSWORD_CHANGE_REQUIRED', {
			status: 403,
			message: 'Change the password that you were given first (PUT /api/v1/session/password).',
		});
	}
	if (!mayDo(identity.actor.role, endpoint.role)) {
		throw apiError('OTA_API_FORBIDDEN', {
			status: 403,
			message: `This needs the role ${endpoint.role}; yours is ${identity.actor.role}.`,
		});
	}
};

const readRequest = async (
	endpoint: AnyEndpoint,
	context: Context,
	act: Act,
	serverSignal: AbortSignal,
): Promise<EndpointRequest<unknown, unknown, unknown>> => {
	const parameters = parseRequestPart('path', endpoint.parameters, context['params']);
	act.box = endpoint.auditBox?.(parameters);
	const query = parseRequestPart('query', endpoint.query, context.query);
	const ifMatch = endpoint.concurrency ? parseIfMatch(context.req.headers['if-match']) : undefined;
	const sent = endpoint.body === undefined ? undefined : await readJsonBody(context.req);
	act.detail = auditDetailOf(sent);
	const body = parseRequestPart('body', endpoint.body, sent);
	const left = new AbortController();
	context.res.once('close', () => left.abort());
	return {
		parameters,
		query,
		body,
		actor: act.actor,
		ifMatch,
		remoteAddress: context.ip,
		signal: AbortSignal.any([serverSignal, left.signal]),
		...(endpoint.upload === true ? {upload: context.req} : {}),
	};
};

const audit = async (
	endpoint: AnyEndpoint,
	context: Context,
	act: Act,
	shared: SharedGuards,
	result: {readonly outcome: AuditEntry['outcome']; readonly status: number; readonly code?: string | null},
): Promise<number | undefined> => {
	if (endpoint.method === 'GET') {
		return undefined;
	}
	return await shared.writeAudit({
		actorId: act.actor.id,
		actorName: act.actor.name,
		actorRole: act.actor.role,
		action: endpoint.operationId,
		method: endpoint.method,
		path: context.path.slice(0, 512),
		box: act.box ?? null,
		outcome: result.outcome,
		status: result.status,
		code: result.code ?? null,
		address: context.ip,
		detail: act.detail,
		...(act.intent === undefined ? {} : {intent: act.intent}),
	});
};

const send = (endpoint: AnyEndpoint, context: Context, answer: EndpointAnswer<unknown>): void => {
	for (const [name, value] of Object.entries(answer.headers ?? {})) {
		context.set(name, value);
	}
	if (answer.editVersion !== undefined) {
		context.set('ETag', `"${answer.editVersion}"`);
	}
	context.status = answer.status ?? 200;
	if (answer.stream !== undefined) {
		context.type = answer.headers?.['Content-Type'] ?? endpoint.contentType ?? 'application/octet-stream';
		context.body = answer.stream;
		return;
	}
	if (endpoint.answer === undefined || answer.status === 204) {
		context.status = 204;
		return;
	}
	// Parsed, so that a column too many in a handler's answer reaches nobody.
	const parsed = endpoint.answer.safeParse(answer.body);
	if (!parsed.success) {
		throw apiError('OTA_API_ANSWER_INVALID', {
			status: 500,
			message: 'The server made an answer that does not fit its own description.',
			cause: parsed.error,
		});
	}
	context.type = 'application/json';
	context.body = JSON.stringify(parsed.data);
};

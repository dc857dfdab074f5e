import type {Readable} from 'node:stream';
import type {z} from 'zod';
import type {AccountRole} from '#ota/contract/account-api.ts';

/** Who asks: a person's account or a token; what the audit log names. */
export type Actor = {
	readonly id: string;
	readonly name: string;
	readonly role: AccountRole;
	/** The session of a browser; undefined for a token, and for who needs no account. */
	readonly sessionId?: string;
};

export type EndpointRequest<Parameters, Query, Body> = {
	readonly parameters: Parameters;
	readonly query: Query;
	readonly body: Body;
	readonly actor: Actor;
	/** The edit version in If-Match (`"7"`), for endpoints with `concurrency`. */
	readonly ifMatch: number | undefined;
	readonly remoteAddress: string;
	readonly signal: AbortSignal;
	/** The body as it arrives, for endpoints with `upload`. */
	readonly upload?: Readable;
};

export type EndpointAnswer<Answer> = {
	readonly status?: 200 | 201 | 202 | 204;
	readonly body?: Answer;
	/** Sent as the ETag `"<n>"`, and expected in If-Match of the next change. */
	readonly editVersion?: number;
	readonly headers?: Readonly<Record<string, string>>;
	/** Instead of a JSON body: bytes of the endpoint's `contentType` (exports, downloads). */
	readonly stream?: Readable;
	/** Who it turned out to be, for the audit log of a sign-in. */
	readonly actor?: Actor;
	/** What the audit log says of the outcome beside what was asked. */
	readonly audited?: Readonly<Record<string, unknown>>;
};

/** Any schema when the generic types of an endpoint do not matter. */
export type AnyEndpoint = Endpoint<z.ZodType, z.ZodType, z.ZodType, z.ZodType>;

/**
 * One operation of the HTTP API: what OpenAPI, the router, authorisation and the audit log are all made from. Path
 * parameters are written `{name}`.
 */
export type Endpoint<
	Parameters extends z.ZodType = z.ZodUndefined,
	Query extends z.ZodType = z.ZodUndefined,
	Body extends z.ZodType = z.ZodUndefined,
	Answer extends z.ZodType = z.ZodUndefined,
> = {
	readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** Below `/api/v1`, such as `/boxes/{id}`. */
	readonly path: string;
	readonly operationId: string;
	readonly tag: string;
	readonly summary: string;
	/** The least role that may; `anyone` needs no account (the sign-in). */
	readonly role: AccountRole | 'anyone';
	readonly parameters?: Parameters;
	readonly query?: Query;
	readonly body?: Body;
	readonly answer?: Answer;
	/** Of a `stream`; default application/json. */
	readonly contentType?: string;
	/** Its body is bytes of any length, which the handler reads and limits itself. */
	readonly upload?: boolean;
	/** If-Match is required (428 without, 412 when it is old). */
	readonly concurrency?: boolean;
	/** Box that a change is about, for the audit log. Every endpoint but GET is audited. */
	readonly auditBox?: (parameters: z.output<Parameters>) => string | undefined;
	readonly handle: (
		request: EndpointRequest<z.output<Parameters>, z.output<Query>, z.output<Body>>,
	) => Promise<EndpointAnswer<z.input<Answer>>>;
};

/** Keeps the types of one endpoint while a list holds many. */
export const endpoint = <
	Parameters extends z.ZodType = z.ZodUndefined,
	Query extends z.ZodType = z.ZodUndefined,
	Body extends z.ZodType = z.ZodUndefined,
	Answer extends z.ZodType = z.ZodUndefined,
>(
	description: Endpoint<Parameters, Query, Body, Answer>,
): AnyEndpoint => description as unknown as AnyEndpoint;

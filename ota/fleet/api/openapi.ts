import {createHash} from 'node:crypto';
import {z} from 'zod';
import {problemContentType, problemSchema} from '#ota/contract/problem.ts';
import type {AnyEndpoint} from '#ota/fleet/api/endpoint.ts';

type Json = {readonly [name: string]: unknown};
type Definitions = Map<string, Json>;

/** The OpenAPI 3.1 document of these endpoints: their schemas are JSON Schema 2020-12, as 3.1 wants them. */
export const openApiOf = (endpoints: readonly AnyEndpoint[]): Json => {
	const paths: Record<string, Record<string, Json>> = {};
	const definitions: Definitions = new Map();
	for (const endpoint of endpoints) {
		paths[endpoint.path] ??= {};
		const operations = paths[endpoint.path];
		if (operations !== undefined) {
			operations[endpoint.method.toLowerCase()] = operationOf(endpoint, definitions);
		}
	}
	return {
		openapi: '3.1.0',
		info: {
			title: 'StreamVerse Edge fleet',
			version: '1.0.0',
			description:
				'Lists are paged by an opaque cursor. Changes of what others may change too want If-Match with the ETag that was read. Every refusal is application/problem+json (RFC 9457). Every call but GET is written to the audit log.',
		},
		servers: [{url: '/api/v1'}],
		tags: [...new Set(endpoints.map(({tag}) => tag))].sort().map((name) => ({name})),
		paths,
		components: {
			securitySchemes: {
				session: {type: 'apiKey', in: 'cookie', name: '__Host-streamverse'},
				token: {type: 'http', scheme: 'bearer'},
			},
			schemas: {Problem: jsonSchemaOf(problemSchema, 'output', definitions), ...Object.fromEntries(definitions)},
			responses: {
				Problem: {
					description: 'Refused or failed; `code` says why.',
					content: {[problemContentType]: {schema: {$ref: '#/components/schemas/Problem'}}},
				},
			},
		},
	};
};

const operationOf = (endpoint: AnyEndpoint, definitions: Definitions): Json => ({
	operationId: endpoint.operationId,
	tags: [endpoint.tag],
	summary: endpoint.summary,
	description: endpoint.role === 'anyone' ? 'Needs no account.' : `Least role: ${endpoint.role}.`,
	security: endpoint.role === 'anyone' ? [] : [{session: []}, {token: []}],
	parameters: [
		...parametersOf('path', endpoint.parameters, definitions),
		...parametersOf('query', endpoint.query, definitions),
		...(endpoint.concurrency
			? [
					{
						name: 'If-Match',
						in: 'header',
						required: true,
						schema: {type: 'string'},
						description: 'The ETag that was read.',
					},
				]
			: []),
	],
	...(endpoint.body === undefined
		? {}
		: {
				requestBody: {
					required: true,
					content: {'application/json': {schema: jsonSchemaOf(endpoint.body, 'input', definitions)}},
				},
			}),
	responses: {'2XX': successOf(endpoint, definitions), default: {$ref: '#/components/responses/Problem'}},
});

const successOf = (endpoint: AnyEndpoint, definitions: Definitions): Json => {
	if (endpoint.contentType !== undefined) {
		return {description: 'Done.', content: {[endpoint.contentType]: {}}};
	}
	return endpoint.answer === undefined
		? {description: 'Done; no content.'}
		: {
				description: 'Done.',
				content: {'application/json': {schema: jsonSchemaOf(endpoint.answer, 'output', definitions)}},
			};
};

const parametersOf = (
	place: 'path' | 'query',
	schema: z.ZodType | undefined,
	definitions: Definitions,
): readonly Json[] => {
	if (schema === undefined) {
		return [];
	}
	const {properties, required} = parameterShape.parse(jsonSchemaOf(schema, 'input', definitions));
	return Object.entries(properties).map(([name, property]) => ({
		name,
		in: place,
		required: place === 'path' || required.includes(name),
		schema: property,
	}));
};

const parameterShape = z.object({
	properties: z.record(z.string(), z.json()).default({}),
	required: z.array(z.string()).default([]),
});

/** A JSON Schema; definitions of its own move to the document's, since `#` there is the document (3.1 section 4.8.24). */
const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output', definitions: Definitions): Json => {
	const whole: Json = z.toJSONSchema(schema, {target: 'draft-2020-12', io, unrepresentable: 'any'});
	const {$schema: _dialect, $defs, ...rest} = whole;
	if ($defs === undefined) {
		return rest;
	}
	const text = JSON.stringify($defs);
	const name = `Shared${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
	const moved = (value: unknown): Json =>
		jsonObject.parse(
			JSON.parse(JSON.stringify(value).replaceAll('"$ref":"#/$defs/', `"$ref":"#/components/schemas/${name}`)),
		);
	for (const [key, definition] of Object.entries(jsonObject.parse($defs))) {
		definitions.set(`${name}${key}`, moved(definition));
	}
	return moved(rest);
};

const jsonObject = z.record(z.string(), z.unknown());

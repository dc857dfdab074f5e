import {z} from 'zod';
import {editConflict} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';

const thing = z.object({id: z.string(), size: z.int()});

/** Operations of an area that does not exist, to hold the rules of all areas against. */
export const thingEndpoints = (): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/things/{id}',
		operationId: 'getThing',
		tag: 'things',
		summary: 'A thing',
		role: 'viewer',
		parameters: z.strictObject({id: z.string().regex(/^[a-z]{1,8}$/u)}),
		query: z.strictObject({size: z.coerce.number().int().min(1).default(1)}),
		answer: thing,
		handle: ({parameters, query}) =>
			Promise.resolve({body: {id: parameters.id, size: query.size, secret: 'column'}, editVersion: 7}),
	}),
	endpoint({
		method: 'GET',
		path: '/things/all',
		operationId: 'getAllThings',
		tag: 'things',
		summary: 'All',
		role: 'viewer',
		answer: z.object({all: z.boolean()}),
		handle: () => Promise.resolve({body: {all: true}}),
	}),
	endpoint({
		method: 'PUT',
		path: '/things/{id}',
		operationId: 'putThing',
		tag: 'things',
		summary: 'Change it',
		role: 'operator',
		parameters: z.strictObject({id: z.string()}),
		body: z.strictObject({
			size: z.int().min(1),
			names: z.array(z.string()).optional(),
			password: z.string().optional(),
		}),
		answer: thing,
		concurrency: true,
		auditBox: ({id}) => id,
		handle: ({parameters, body, ifMatch}) =>
			ifMatch === 7
				? Promise.resolve({body: {id: parameters.id, size: body.size}, editVersion: 8})
				: Promise.reject(editConflict()),
	}),
	endpoint({
		method: 'POST',
		path: '/broken',
		operationId: 'breakIt',
		tag: 'things',
		summary: 'Fails',
		role: 'operator',
		answer: thing,
		handle: ({actor}) =>
			actor.name.startsWith('liar')
				? Promise.resolve({body: {id: 1} as never})
				: Promise.reject(new Error('password=hunter2 at /secret/path')),
	}),
];

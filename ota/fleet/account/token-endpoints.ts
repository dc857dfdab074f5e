import {
	apiTokenCreatedSchema,
	apiTokenCreateSchema,
	apiTokenPageSchema,
	idParametersSchema,
} from '#ota/contract/account-api.ts';
import {pageQuerySchema} from '#ota/contract/page-api.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import type {AccountsContext} from '#ota/fleet/account/accounts-context.ts';
import {type Actor, type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {mayDo} from '#ota/fleet/api/identity.ts';

const shared = {tag: 'tokens', role: 'viewer'} as const;

export const createTokenEndpoints = ({tokens}: AccountsContext): readonly AnyEndpoint[] => [
	endpoint({
		...shared,
		method: 'GET',
		path: '/tokens',
		operationId: 'listTokens',
		summary: 'One’s own API tokens; an admin sees all',
		query: pageQuerySchema,
		answer: apiTokenPageSchema,
		handle: async ({query, actor}) => ({
			body: await tokens.list({accountId: ownerOf(actor), cursor: query.cursor, limit: query.limit}),
		}),
	}),
	endpoint({
		...shared,
		method: 'POST',
		path: '/tokens',
		operationId: 'createToken',
		summary: 'Make an API token for oneself; it is shown this once',
		body: apiTokenCreateSchema,
		answer: apiTokenCreatedSchema,
		handle: async ({body, actor}) => {
			if (!mayDo(actor.role, body.role)) {
				throw accountError('OTA_ACCOUNT_ROLE_TOO_HIGH', {
					status: 403,
					message: 'A token may do no more than who makes it.',
				});
			}
			return {status: 201, body: await tokens.make({...body, accountId: actor.id})};
		},
	}),
	endpoint({
		...shared,
		method: 'DELETE',
		path: '/tokens/{id}',
		operationId: 'deleteToken',
		summary: 'End a token at once',
		parameters: idParametersSchema,
		handle: async ({parameters: {id}, actor}) => {
			await tokens.remove({id, accountId: ownerOf(actor)});
			return {status: 204};
		},
	}),
];

/** Undefined = of everybody. */
const ownerOf = (actor: Actor): string | undefined => (actor.role === 'admin' ? undefined : actor.id);

import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {
	claimPageSchema,
	claimParametersSchema,
	claimQuerySchema,
	claimRequestSchema,
	createdClaimSchema,
	createdClaimsSchema,
	reclaimRequestSchema,
} from '#ota/contract/claim-api.ts';
import {notFound} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import {deleteOpenClaim, listClaims, toClaimSummary} from '#ota/fleet/authority/claim-repository.ts';
import {type ClaimEndpointOptions, makeClaims, newClaimsOf, refuseEnrolled} from '#ota/fleet/authority/make-claims.ts';

const boxParameters = z.strictObject({id: deviceIdSchema});
const cursorSchema = z.tuple([z.number(), z.string()]);

export const createClaimEndpoints = (options: ClaimEndpointOptions): readonly AnyEndpoint[] => {
	const {database, clock} = options;

	return [
		endpoint({
			method: 'GET',
			path: '/claims',
			operationId: 'listClaims',
			tag: 'enrolment',
			summary: 'Claims, newest first; their tokens are not kept.',
			role: 'operator',
			query: claimQuerySchema,
			answer: claimPageSchema,
			handle: async ({query: {state, cursor, limit}}) => {
				const nowMs = clock.nowMs();
				const after = decodeCursor(cursor, cursorSchema);
				const rows = await listClaims(database, {state, after, limit, nowMs});
				return {
					body: pageOfRows(rows, {
						limit,
						toItem: (row) => toClaimSummary(row, nowMs),
						cursorOf: (row) => [row.created_ms, row.id],
					}),
				};
			},
		}),
		endpoint({
			method: 'POST',
			path: '/claims',
			operationId: 'createClaims',
			tag: 'enrolment',
			summary: 'Makes one-time tokens, each in the file that a box wants; the tokens are told this once.',
			role: 'operator',
			body: claimRequestSchema,
			answer: createdClaimsSchema,
			handle: async ({body, actor}) => {
				await refuseEnrolled(database, body.deviceIds ?? []);
				const items = await makeClaims(options, newClaimsOf(body, {nowMs: clock.nowMs(), createdBy: actor.name}));
				return {status: 201, body: {items}};
			},
		}),
		endpoint({
			method: 'DELETE',
			path: '/claims/{claimId}',
			operationId: 'deleteClaim',
			tag: 'enrolment',
			summary: 'Withdraws a claim that no box has used.',
			role: 'operator',
			parameters: claimParametersSchema,
			handle: async ({parameters: {claimId}}) => {
				if (!(await deleteOpenClaim(database, {id: claimId, nowMs: clock.nowMs()}))) {
					throw notFound('open claim');
				}
				return {status: 204};
			},
		}),
		reclaimEndpoint(options),
	];
};

const reclaimEndpoint = (options: ClaimEndpointOptions): AnyEndpoint => {
	const {database, clock} = options;
	return endpoint({
		method: 'POST',
		path: '/boxes/{id}/claim',
		operationId: 'reclaimBox',
		tag: 'enrolment',
		summary: 'A claim for a swapped or revoked box: its new key takes the place of the old one.',
		role: 'operator',
		parameters: boxParameters,
		body: reclaimRequestSchema,
		answer: createdClaimSchema,
		auditBox: ({id}) => id,
		handle: async ({parameters: {id}, body: {lifeDays}, actor}) => {
			const box = await database.selectFrom('box').selectAll().where('id', '=', id).executeTakeFirst();
			if (box === undefined) {
				throw notFound('box');
			}
			const request = claimRequestSchema.parse({deviceIds: [id], kind: box.kind, lifeDays});
			const claims = newClaimsOf(request, {nowMs: clock.nowMs(), createdBy: actor.name});
			const [made] = await makeClaims(
				options,
				claims.map((claim) => ({
					...claim,
					replaces: true,
					site: box.site ?? undefined,
					tags: z.array(z.string()).parse(JSON.parse(box.tags)),
				})),
			);
			return {status: 201, ...(made === undefined ? {} : {body: made})};
		},
	});
};

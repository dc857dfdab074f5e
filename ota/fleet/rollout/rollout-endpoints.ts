import {z} from 'zod';
import {carouselOrdersSchema} from '#appliance/contract/fleet/carousel-orders-schema.ts';
import {
	carouselOrdersPath,
	rolloutActSchema,
	rolloutApproveSchema,
	rolloutBoxPageSchema,
	rolloutBoxQuerySchema,
	rolloutCreateSchema,
	rolloutPageSchema,
	rolloutParametersSchema,
	rolloutPreviewSchema,
	rolloutQuerySchema,
	rolloutSchema,
} from '#ota/contract/rollout-api.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import {readCarouselOrders} from '#ota/fleet/rollout/carousel-orders.ts';
import type {EngineContext} from '#ota/fleet/rollout/rollout-engine.ts';
import {listRolloutBoxes, listRollouts} from '#ota/fleet/rollout/rollout-repository.ts';
import type {RolloutService} from '#ota/fleet/rollout/rollout-service.ts';

const tag = 'rollouts';
const rolloutCursorSchema = z.tuple([z.number(), z.string()]);
const boxCursorSchema = z.tuple([z.string()]);

export const createRolloutEndpoints = (service: RolloutService, context: EngineContext): readonly AnyEndpoint[] => [
	// Before `/rollouts/{id}`, whose pattern it would match.
	carouselEndpoint(context),
	...listEndpoints(context),
	...makeEndpoints(service),
	...actEndpoints(service),
];

const carouselEndpoint = ({store, desk, clock}: EngineContext): AnyEndpoint =>
	endpoint({
		method: 'GET',
		path: carouselOrdersPath,
		operationId: 'getCarouselOrders',
		tag,
		summary: 'orders.json, for a headend that this server does not reach',
		role: 'operator',
		answer: carouselOrdersSchema,
		handle: async () => ({body: await readCarouselOrders(store.database, {desk, nowMs: clock.nowMs()})}),
	});

const listEndpoints = ({store: {database}}: EngineContext): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/rollouts',
		operationId: 'listRollouts',
		tag,
		summary: 'Rollouts, the newest first',
		role: 'viewer',
		query: rolloutQuerySchema,
		answer: rolloutPageSchema,
		handle: async ({query: {cursor, limit, state, release}}) => {
			const after = decodeCursor(cursor, rolloutCursorSchema);
			const rows = await listRollouts(database, {state, release, after, limit: limit + 1});
			return {body: pageOfRows(rows, {limit, toItem: (row) => row, cursorOf: ({createdMs, id}) => [createdMs, id]})};
		},
	}),
	endpoint({
		method: 'GET',
		path: '/rollouts/{id}/boxes',
		operationId: 'listRolloutBoxes',
		tag,
		summary: 'The boxes of a rollout: how far each is, and why it failed',
		role: 'viewer',
		parameters: rolloutParametersSchema,
		query: rolloutBoxQuerySchema,
		answer: rolloutBoxPageSchema,
		handle: async ({parameters: {id}, query: {cursor, limit, group, state}}) => {
			const after = decodeCursor(cursor, boxCursorSchema)?.[0];
			const rows = await listRolloutBoxes(database, {id, group, state, after, limit: limit + 1});
			return {body: pageOfRows(rows, {limit, toItem: (row) => row, cursorOf: ({box}) => [box]})};
		},
	}),
];

const makeEndpoints = (service: RolloutService): readonly AnyEndpoint[] => [
	endpoint({
		method: 'POST',
		path: '/rollout-preview',
		operationId: 'previewRollout',
		tag,
		summary: 'What groups a rollout would have; makes nothing',
		role: 'operator',
		body: rolloutCreateSchema,
		answer: rolloutPreviewSchema,
		handle: async ({body}) => ({body: await service.preview(body)}),
	}),
	endpoint({
		method: 'POST',
		path: '/rollouts',
		operationId: 'createRollout',
		tag,
		summary: 'Make a rollout; it waits for the approval of somebody else',
		role: 'operator',
		body: rolloutCreateSchema,
		answer: rolloutSchema,
		handle: async ({body, actor}) => {
			const rollout = await service.create(body, actor);
			return {status: 201, body: rollout, editVersion: rollout.editVersion};
		},
	}),
	endpoint({
		method: 'GET',
		path: '/rollouts/{id}',
		operationId: 'getRollout',
		tag,
		summary: 'One rollout, with the progress of each group',
		role: 'viewer',
		parameters: rolloutParametersSchema,
		answer: rolloutSchema,
		handle: async ({parameters}) => {
			const rollout = await service.get(parameters.id);
			return {body: rollout, editVersion: rollout.editVersion};
		},
	}),
];

const actEndpoints = (service: RolloutService): readonly AnyEndpoint[] => [
	endpoint({
		method: 'POST',
		path: '/rollouts/{id}/approve',
		operationId: 'approveRollout',
		tag,
		summary: 'Approve or reject a rollout that somebody else made',
		role: 'approver',
		parameters: rolloutParametersSchema,
		body: rolloutApproveSchema,
		answer: rolloutSchema,
		concurrency: true,
		handle: async ({parameters, body, actor, ifMatch}) => {
			const {decision, note: reason} = body;
			const rollout = await service.approve({id: parameters.id, actor, ifMatch, reason, decision});
			return {body: rollout, editVersion: rollout.editVersion};
		},
	}),
	...(
		[
			['start', 'start', 'Start a rollout that was approved, now or at its start time'],
			['pause', 'pause', 'Give no more orders; boxes on their way go on'],
			['resume', 'resume', 'Go on, accepting the failures so far'],
			['abort', 'abort', 'End it, and take back every order whose box has not begun to install'],
			['retry-failed', 'retryFailed', 'Order the boxes that failed once more'],
		] as const
	).map(([path, act, summary]) =>
		endpoint({
			method: 'POST',
			path: `/rollouts/{id}/${path}`,
			operationId: `${act}Rollout`,
			tag,
			summary,
			role: 'operator',
			parameters: rolloutParametersSchema,
			body: rolloutActSchema,
			answer: rolloutSchema,
			concurrency: true,
			handle: async ({parameters, body, actor, ifMatch}) => {
				const rollout = await service[act]({id: parameters.id, actor, ifMatch, reason: body.reason});
				return {body: rollout, editVersion: rollout.editVersion};
			},
		}),
	),
];

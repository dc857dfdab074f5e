import {z} from 'zod';
import {
	artifactParametersSchema,
	artifactUploadQuerySchema,
	releaseArtifactSchema,
	releaseCreateSchema,
	releasePageSchema,
	releaseParametersSchema,
	releaseQuerySchema,
	releaseSchema,
	releaseWithdrawSchema,
} from '#ota/contract/release-api.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import {listReleases} from '#ota/fleet/release/release-repository.ts';
import type {ReleaseService} from '#ota/fleet/release/release-service.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const tag = 'releases';
const cursorSchema = z.tuple([z.number(), z.string()]);

export const createReleaseEndpoints = (service: ReleaseService, database: FleetDatabase): readonly AnyEndpoint[] => [
	...readEndpoints(service, database),
	...changeEndpoints(service),
	...uploadEndpoints(service),
];

const readEndpoints = (service: ReleaseService, database: FleetDatabase): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/releases',
		operationId: 'listReleases',
		tag,
		summary: 'Releases, the newest first',
		role: 'viewer',
		query: releaseQuerySchema,
		answer: releasePageSchema,
		handle: async ({query: {cursor, limit, state}}) => {
			const after = decodeCursor(cursor, cursorSchema);
			const rows = await listReleases(database, {state, after, limit: limit + 1});
			const page = pageOfRows(rows, {
				limit,
				toItem: (row) => row,
				cursorOf: ({createdMs, release}) => [createdMs, release],
			});
			return {body: {...page, items: await Promise.all(page.items.map((item) => service.view(item)))}};
		},
	}),
	endpoint({
		method: 'GET',
		path: '/releases/{release}',
		operationId: 'getRelease',
		tag,
		summary: 'One release and how much of its files is here',
		role: 'viewer',
		parameters: releaseParametersSchema,
		answer: releaseSchema,
		handle: async ({parameters}) => ({body: await service.get(parameters.release)}),
	}),
];

const changeEndpoints = (service: ReleaseService): readonly AnyEndpoint[] => [
	endpoint({
		method: 'POST',
		path: '/releases',
		operationId: 'createRelease',
		tag,
		summary: 'Make a signed manifest known',
		role: 'operator',
		body: releaseCreateSchema,
		answer: releaseSchema,
		handle: async ({body, actor}) => ({status: 201, body: await service.create(body, actor.name)}),
	}),
	endpoint({
		method: 'POST',
		path: '/releases/{release}/publish',
		operationId: 'publishRelease',
		tag,
		summary: 'Let a release whose files are all here be rolled out',
		role: 'operator',
		parameters: releaseParametersSchema,
		answer: releaseSchema,
		handle: async ({parameters}) => ({body: await service.publish(parameters.release)}),
	}),
	endpoint({
		method: 'POST',
		path: '/releases/{release}/withdraw',
		operationId: 'withdrawRelease',
		tag,
		summary: 'Let nobody else get a release: its rollouts pause',
		role: 'operator',
		parameters: releaseParametersSchema,
		body: releaseWithdrawSchema,
		answer: releaseSchema,
		handle: async ({parameters, body, actor}) => ({
			body: await service.withdraw(parameters.release, {by: actor.name, reason: body.reason}),
		}),
	}),
];

const uploadEndpoints = (service: ReleaseService): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/release-artifacts/{sha256}',
		operationId: 'getReleaseArtifact',
		tag,
		summary: 'How much of a file is here, to go on from there',
		role: 'operator',
		parameters: artifactParametersSchema,
		answer: releaseArtifactSchema,
		handle: async ({parameters}) => ({body: await service.artifact(parameters.sha256)}),
	}),
	endpoint({
		method: 'PUT',
		path: '/release-artifacts/{sha256}',
		operationId: 'uploadReleaseArtifact',
		tag,
		summary: 'Send a file of a release, or the rest of it',
		role: 'operator',
		parameters: artifactParametersSchema,
		query: artifactUploadQuerySchema,
		upload: true,
		answer: releaseArtifactSchema,
		handle: async ({parameters, query, upload, signal}) => {
			if (upload === undefined) {
				throw apiError('OTA_API_BODY_INVALID', {status: 400, message: 'The file itself is missing.'});
			}
			const {offsetBytes} = query;
			return {body: await service.upload(parameters.sha256, {offsetBytes, body: upload, signal})};
		},
	}),
];

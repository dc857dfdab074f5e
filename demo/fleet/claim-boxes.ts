import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {FleetClient} from '#demo/fleet/fleet-client.ts';
import type {Site} from '#ota/contract/box-api.ts';
import {createdClaimsSchema} from '#ota/contract/claim-api.ts';

export type BoxToClaim = {readonly deviceId: string; readonly kind: BoxKind; readonly tags?: readonly string[]};

/** Where each kind of box of the demo stands on the map. */
const sites: Readonly<Record<BoxKind, Site>> = {
	headend: {
		...{id: 'fucino', name: 'Fucino uplink', timeZone: 'Europe/Rome', windows: null},
		...{latitude: 41.978, longitude: 13.601},
	},
	'pop-node': {
		...{id: 'milan', name: 'Milan data centre', timeZone: 'Europe/Rome', windows: null},
		...{latitude: 45.464, longitude: 9.19},
	},
	stb: {
		...{id: 'rome', name: 'Rome homes', timeZone: 'Europe/Rome', windows: null},
		latitude: 41.903,
		longitude: 12.496,
	},
};

export const claimFilePath = (directory: string, deviceId: string): string => join(directory, `${deviceId}.claim.json`);

/** Makes the sites, and a one-time claim file for each box. */
export const claimBoxes = async (options: {
	readonly ask: FleetClient;
	readonly boxes: readonly BoxToClaim[];
	readonly directory: string;
}): Promise<void> => {
	const {ask, boxes, directory} = options;
	await mkdir(directory, {recursive: true, mode: 0o700});
	for (const kind of new Set(boxes.map((box) => box.kind))) {
		const {id, ...site} = sites[kind];
		await ask('PUT', `/sites/${id}`, site, 0);
	}
	for (const {deviceId, kind, tags = []} of boxes) {
		const request = {deviceIds: [deviceId], kind, site: sites[kind].id, tags, lifeDays: 1};
		const {items} = createdClaimsSchema.parse(await ask('POST', '/claims', request));
		await writeFile(claimFilePath(directory, deviceId), JSON.stringify(items[0]?.file), {mode: 0o600});
	}
};

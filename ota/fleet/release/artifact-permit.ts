import {updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import {releaseManifestSchema, type Sha256} from '#appliance/contract/fleet/release-schema.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';
import {bundleArtifacts} from '#ota/release/release-artifacts.ts';

/** Orders of rollouts that are remembered; each is shared by thousands of boxes. */
const bodiesMax = 256;

/** Whether an order that this box has now names a file; nothing else is served to it. */
export const createArtifactPermit = (database: FleetDatabase): ((box: string, sha256: Sha256) => Promise<boolean>) => {
	const known = new Map<string, ReadonlySet<string>>();
	return async (box, sha256) => {
		const row = await database.selectFrom('desired').select('update_body').where('box', '=', box).executeTakeFirst();
		const id = row?.update_body ?? null;
		if (id === null) {
			return false;
		}
		const named = known.get(id) ?? (await namesOf(database, id));
		known.delete(id);
		known.set(id, named);
		if (known.size > bodiesMax) {
			known.delete(known.keys().next().value ?? id);
		}
		return named.has(sha256);
	};
};

/** The bundle of the order's own kind of box, and the list of its blocks. */
const namesOf = async (database: FleetDatabase, id: string): Promise<ReadonlySet<string>> => {
	const row = await database.selectFrom('update_body').select('body').where('id', '=', id).executeTakeFirst();
	if (row === undefined) {
		return new Set();
	}
	const order = updateOrderSchema.parse(JSON.parse(row.body));
	const {bundles} = releaseManifestSchema.parse(JSON.parse(order.manifest));
	return new Set(
		bundles
			.filter(({kind}) => kind === order.kind)
			.flatMap(bundleArtifacts)
			.map(({sha256}) => sha256),
	);
};

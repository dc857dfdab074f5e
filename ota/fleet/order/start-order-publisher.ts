import {z} from 'zod';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {maintenanceWindowSchema, type OrderBody, updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import {boxTopic} from '#appliance/contract/fleet/topic.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {currentKey, type OrderContext, readKeyChain} from '#ota/fleet/order/order-context.ts';
import {takeRevisions} from '#ota/fleet/order/order-revisions.ts';
import {signOrder} from '#ota/fleet/order/sign-order.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';

/** An order that is older than half its life is made anew, so that a box which comes back finds one in time. */
export const desiredLifeMs = 30 * 86_400_000;
const renewBeforeMs = desiredLifeMs / 2;
/** Signed and sent at once. */
const portionMax = 200;
const pollIntervalMs = 500;
const renewIntervalMs = 60_000;
const renewMax = 2000;
/** A box that is there has kept what was sent to it by then; if not, the broker has lost it, or the box has refused it. */
export const keptWithinMs = 60_000;
/**
 * The server cannot tell what the broker lost from what the box refuses (its clock, its key), so it does not give up: it
 * waits twice as long each time, up to this.
 */
export const resendAfterMsMax = 6 * 3_600_000;
const resendIntervalMs = 1000;
/** Each second; a fleet whose broker forgot everything is told anew over some minutes, and not in one flood. */
export const resendPerTurn = 500;

type PublisherContext = OrderContext & {readonly broker: FleetBroker; readonly logger: Logger};

type DirtyRow = {
	readonly box: string;
	readonly config: string;
	readonly change: number;
	readonly revoked_ms: number | null;
	readonly windows: string | null;
	readonly body: string | null;
};

/**
 * Signs what has changed, sends it retained, and then marks it done, unless it has changed again meanwhile. Runs under a
 * lease; where two servers overlap for a moment, the older revision sees the newer one in the table and is sent anew.
 */
export const publishOrders = async (
	context: PublisherContext,
	options: {readonly signal: AbortSignal; readonly woken: () => Promise<void>},
): Promise<void> => {
	const {signal, woken} = options;
	let renewedMs = Number.NEGATIVE_INFINITY;
	let resentMs = Number.NEGATIVE_INFINITY;
	// A broker that lost its power forgets up to a minute of what it was to retain. It cannot tell what: what was sent
	// shortly before this server lost sight of it is sent once more.
	let mustRepeat = false;
	const stop = context.broker.onConnected(() => {
		mustRepeat = true;
	});
	signal.addEventListener('abort', stop, {once: true});
	while (!signal.aborted) {
		if (mustRepeat) {
			mustRepeat = false;
			await repeatRecent(context);
		}
		if (context.clock.monotonicMs() - resentMs > resendIntervalMs) {
			await resendUnkept(context);
			resentMs = context.clock.monotonicMs();
		}
		if (context.clock.monotonicMs() - renewedMs > renewIntervalMs) {
			await renewOrders(context);
			renewedMs = context.clock.monotonicMs();
		}
		const done = await publishPortion(context);
		if (done < portionMax) {
			await Promise.race([woken(), sleep(pollIntervalMs, {signal}).catch(() => undefined)]);
		}
	}
};

/** Answers how many boxes were dealt with. */
export const publishPortion = async (context: PublisherContext): Promise<number> => {
	const {database, broker} = context;
	const rows: readonly DirtyRow[] = await database
		.selectFrom('desired')
		.innerJoin('box', 'box.id', 'desired.box')
		.leftJoin('site', 'site.id', 'box.site')
		.leftJoin('update_body', 'update_body.id', 'desired.update_body')
		.select(['desired.box', 'desired.config', 'desired.change', 'box.revoked_ms', 'site.windows', 'update_body.body'])
		.where('desired.dirty', '=', 1)
		.orderBy('desired.box')
		.limit(portionMax)
		.execute();
	if (rows.length === 0 || !broker.isConnected()) {
		return 0;
	}
	const key = await currentKey(context);
	const keyChain = await readKeyChain(context);
	const nowMs = context.clock.nowMs();
	const firstRevision = await takeRevisions(database, rows.length);
	const sent = await Promise.all(
		rows.map(async (row, index) => {
			const revision = firstRevision + index;
			try {
				const payload =
					row.revoked_ms === null
						? JSON.stringify({
								version: 1,
								keyChain,
								order: await signOrder({
									key,
									fleet: context.fleet,
									revision,
									nowMs,
									expiresMs: nowMs + desiredLifeMs,
									target: {kind: 'box', deviceId: row.box as DeviceId},
									order: desiredOf(row),
								}),
							})
						: '';
				await broker.publish(boxTopic(row.box as DeviceId, 'desired'), payload, {retain: true});
				return [{box: row.box, change: row.change, revision}];
			} catch (error) {
				context.logger.warn({err: error, box: row.box}, 'the desired state of a box was not sent');
				return [];
			}
		}),
	);
	await markSent(context, sent.flat(), nowMs + desiredLifeMs);
	return sent.flat().length;
};

const desiredOf = ({config, windows, body}: DirtyRow): OrderBody => ({
	kind: 'desired',
	config: z.record(z.string(), z.json()).parse(JSON.parse(config)),
	...(body === null ? {} : {update: updateOrderSchema.parse(JSON.parse(body))}),
	...(windows === null ? {} : {windows: z.array(maintenanceWindowSchema).parse(JSON.parse(windows))}),
});

const markSent = async (
	{database}: PublisherContext,
	sent: readonly {readonly box: string; readonly change: number; readonly revision: number}[],
	expiresMs: number,
): Promise<void> => {
	await database.transaction().execute(async (transaction) => {
		for (const {box, change, revision} of sent) {
			const {numUpdatedRows} = await transaction
				.updateTable('desired')
				.set((set) => ({
					revision,
					expires_ms: expiresMs,
					dirty: set.case().when('change', '=', change).then(0).else(1).end(),
				}))
				.where('box', '=', box)
				.where('revision', '<', revision)
				.executeTakeFirst();
			if (numUpdatedRows === 0n) {
				await transaction.updateTable('desired').set({dirty: 1}).where('box', '=', box).execute();
			} else {
				await transaction.updateTable('box').set({desired_revision: revision}).where('id', '=', box).execute();
			}
		}
	});
};

/** Marks what has lived half its life: an order that is new to the box, whatever it made of the one before. */
export const renewOrders = async ({database, clock}: Pick<PublisherContext, 'database' | 'clock'>): Promise<void> => {
	await database
		.updateTable('desired')
		.set({dirty: 1, resend_after_ms: keptWithinMs})
		.where(
			'box',
			'in',
			database
				.selectFrom('desired')
				.select('box')
				.where('dirty', '=', 0)
				.where('expires_ms', '<', clock.nowMs() + renewBeforeMs)
				.limit(renewMax),
		)
		.execute();
};

/** mosquitto writes down what it retains so often (`autosave_interval`); twice that, and the time to notice its end. */
const forgottenByBrokerMs = 180_000;

/** Marks what was sent so recently that a broker which has just come back may have lost it. */
export const repeatRecent = async ({database, clock}: Pick<PublisherContext, 'database' | 'clock'>): Promise<void> => {
	await database
		.updateTable('desired')
		.set({dirty: 1})
		.where('dirty', '=', 0)
		.where('expires_ms', '>', clock.nowMs() + desiredLifeMs - forgottenByBrokerMs)
		.execute();
};

/**
 * Marks what boxes that are online have not kept although it was sent: whoever forgot it, they get it, and those that
 * refuse it ever more rarely. Answers how many. When an order was sent follows from when it expires.
 */
export const resendUnkept = async ({
	database,
	clock,
}: Pick<PublisherContext, 'database' | 'clock'>): Promise<number> => {
	const expiresMs = clock.nowMs() + desiredLifeMs;
	const rows = await database
		.selectFrom('desired')
		.innerJoin('box', 'box.id', 'desired.box')
		.select('desired.box')
		.where('desired.dirty', '=', 0)
		.where('box.presence', '=', 'online')
		.where('box.revoked_ms', 'is', null)
		.whereRef('box.desired_kept', '<', 'box.desired_revision')
		.where('desired.expires_ms', '<', expiresMs - keptWithinMs)
		.where(({eb}) => eb(eb('desired.expires_ms', '+', eb.ref('desired.resend_after_ms')), '<', expiresMs))
		.orderBy('desired.expires_ms')
		.limit(resendPerTurn)
		.execute();
	for (const chunk of chunksOf(rows.map(({box}) => box))) {
		await database
			.updateTable('desired')
			.set((set) => ({
				dirty: 1,
				resend_after_ms: set
					.case()
					.when('resend_after_ms', '<', resendAfterMsMax / 2)
					.then(set('resend_after_ms', '*', 2))
					.else(resendAfterMsMax)
					.end(),
			}))
			.where('box', 'in', chunk)
			.execute();
	}
	return rows.length;
};

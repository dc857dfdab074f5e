import {createHash} from 'node:crypto';
import type {Transaction} from 'kysely';
import type {OrderBody, OrderTarget, SignedOrder} from '#appliance/contract/fleet/order-schema.ts';
import {currentKey, type OrderContext, readKeyChain} from '#ota/fleet/order/order-context.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {takeRevisions} from '#ota/fleet/order/order-revisions.ts';
import {signOrder} from '#ota/fleet/order/sign-order.ts';
import {keptWithinMs} from '#ota/fleet/order/start-order-publisher.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

/** A rotation is a fact of the past, but every order has an end. */
const rotationLifeMs = 3650 * 86_400_000;
/** What a command's order outlives its deadline by: the box's clock may be late. */
const commandGraceMs = 60_000;

const everyBox: OrderTarget = {kind: 'share', filter: '', salt: 'all', from: 0, to: 1};

export const createOrderDesk = (context: OrderContext & {readonly wake: () => void}): OrderDesk => {
	const sign = async (options: {
		readonly id?: string;
		readonly expiresMs: number;
		readonly target: OrderTarget;
		readonly order: OrderBody;
	}): Promise<SignedOrder> => {
		const key = await currentKey(context);
		const revision = await takeRevisions(context.database, 1);
		return signOrder({...options, key, fleet: context.fleet, revision, nowMs: context.clock.nowMs()});
	};
	return {
		setUpdate: async (transaction, boxes, update) => {
			const body = update === undefined ? null : JSON.stringify(update);
			const id = body === null ? null : createHash('sha256').update(body).digest('hex');
			if (body !== null && id !== null) {
				await transaction
					.insertInto('update_body')
					.values({id, body})
					.onConflict((conflict) => conflict.column('id').doNothing())
					.execute();
			}
			await changeDesired(transaction, boxes, {update_body: id});
		},
		setConfig: (transaction, box, config) => changeDesired(transaction, [box], {config: JSON.stringify(config)}),
		markDirty: (transaction, boxes) => changeDesired(transaction, boxes, {}),
		wake: context.wake,
		signBroadcast: (target, update, {expiresMs}) => sign({expiresMs, target, order: {kind: 'update', update}}),
		signCommand: ({id, box, name, arguments: given, deadlineMs}) =>
			sign({
				id,
				expiresMs: deadlineMs + commandGraceMs,
				target: {kind: 'box', deviceId: box},
				order: {kind: 'command', name, arguments: given as never, deadlineMs},
			}),
		keyChain: () => readKeyChain(context),
		publicKey: async () => (await currentKey(context)).publicKey,
		rotateKey: async () => {
			const old = await currentKey(context);
			const next = await context.keys.add();
			const nowMs = context.clock.nowMs();
			const revision = await takeRevisions(context.database, 1);
			const rotation = await signOrder({
				key: old,
				fleet: context.fleet,
				revision,
				nowMs,
				expiresMs: nowMs + rotationLifeMs,
				target: everyBox,
				order: {kind: 'rotate-key', kid: next.kid, key: next.publicKey},
			});
			await context.database.transaction().execute(async (transaction) => {
				const {position} = await transaction
					.selectFrom('order_key')
					.select('position')
					.where('kid', '=', old.kid)
					.executeTakeFirstOrThrow();
				await transaction
					.insertInto('order_key')
					.values({
						kid: next.kid,
						position: position + 1,
						jwk: JSON.stringify(next.publicKey),
						rotation,
						created_ms: nowMs,
					})
					.execute();
				await changeDesired(transaction, 'all', {});
			});
			context.wake();
		},
	};
};

/** Whatever a box made of the order before, it is told this one without delay. */
const toSend = {dirty: 1, resend_after_ms: keptWithinMs} as const;

/** Inserts what is missing; marks each as changed and as to be sent. */
const changeDesired = async (
	transaction: Transaction<FleetTables>,
	boxes: readonly string[] | 'all',
	change: {readonly update_body?: string | null; readonly config?: string},
): Promise<void> => {
	if (boxes === 'all') {
		await transaction
			.updateTable('desired')
			.set((set) => ({...change, change: set('change', '+', 1), ...toSend}))
			.execute();
		return;
	}
	for (const chunk of chunksOf([...boxes].sort(), 4)) {
		await transaction
			.insertInto('desired')
			.values(chunk.map((box) => ({box, ...change})))
			.onConflict((conflict) =>
				conflict.column('box').doUpdateSet((set) => ({...change, change: set('desired.change', '+', 1), ...toSend})),
			)
			.execute();
	}
};

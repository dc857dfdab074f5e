import {createHash} from 'node:crypto';
import type {CarouselOrders} from '#appliance/contract/fleet/carousel-orders-schema.ts';
import {rolloutError} from '#ota/fleet/rollout/rollout-error.ts';

const pushTimeoutMs = 10_000;

/** Puts `orders.json` into a headend's catalogue, by the endpoint that takes its other objects. */
export const pushCarouselOrders = async (
	headendUrl: string,
	orders: CarouselOrders,
	{signal}: {readonly signal: AbortSignal},
): Promise<void> => {
	const body = JSON.stringify(orders);
	const digest = createHash('sha256').update(body).digest('base64');
	const answer = await fetch(`${headendUrl.replace(/\/+$/u, '')}/catalogue/release/orders.json`, {
		method: 'PUT',
		headers: {
			'Content-Type': 'application/json',
			'Repr-Digest': `sha-256=:${digest}:`,
			'Streamverse-Priority': 'high',
		},
		body,
		signal: AbortSignal.any([signal, AbortSignal.timeout(pushTimeoutMs)]),
	});
	await answer.body?.cancel();
	if (!answer.ok) {
		throw rolloutError('OTA_ROLLOUT_HEADEND_REFUSED', {
			status: 502,
			message: `The headend ${headendUrl} did not take the orders for the carousel (status ${answer.status}).`,
		});
	}
};

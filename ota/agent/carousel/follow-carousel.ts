import {z} from 'zod';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import type {Agent} from '#ota/agent/agent.ts';
import {pollCarouselOrders} from '#ota/agent/carousel/poll-carousel-orders.ts';

/** The key of the set-top's own section that says where its operator's objects are, with its default. */
const sectionSchema = z.looseObject({objectBaseUri: z.string().default('http://dvb.gw/streamverse/')});

/** Has a set-top take the update orders of its carousel, return path or not. */
export const followCarousel = (options: {
	readonly link: Pick<FleetLink, 'takeCarouselOrders' | 'onCarouselUpdate'>;
	readonly agent: Agent;
	/** The `stb` section of the box's file. */
	readonly section: unknown;
	readonly roleUrl: () => string | undefined;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): void => {
	const {link, agent, roleUrl, logger, signal} = options;
	const base = sectionSchema.safeParse(options.section ?? {}).data?.objectBaseUri;
	if (base === undefined) {
		return;
	}
	const stop = link.onCarouselUpdate(({update, expiresMs}) => agent.assign(update, {origin: 'carousel', expiresMs}));
	signal.addEventListener('abort', stop, {once: true});
	const objectUri = `${base.replace(/\/+$/u, '')}/release/orders.json`;
	void pollCarouselOrders({roleUrl, objectUri, take: link.takeCarouselOrders, logger, signal});
};

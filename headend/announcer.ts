import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {Carousel} from '#headend/carousel/carousel.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import {TitleKeeper} from '#headend/catalogue/title-keeper.ts';
import {runLoop} from '#headend/runner/run-loop.ts';
import {Wake} from '#headend/runner/wake.ts';
import {signallingObjects} from '#headend/signalling/announce.ts';
import {createVersionBook} from '#headend/signalling/version-book.ts';
import {signallingFactsOf} from '#headend/signalling-facts-of.ts';
import type {Transmission} from '#headend/uplink/transmission.ts';

/** A catalogue that fills changes its titles often; the announcement follows at this pace. */
const refreshIntervalMs = 500;

export type Announcer = AsyncDisposable & {
	/** Says what has changed beside the titles. */
	readonly announce: () => Promise<void>;
};

/** Writes the announcement anew when the titles change, and gives it to the carousel to repeat. */
export const startAnnouncer = async (options: {
	readonly transmission: Transmission;
	readonly catalogue: Catalogue;
	readonly carousel: Pick<Carousel, 'replaceSignalling'>;
	readonly titles: TitleKeeper;
	readonly clock: Clock;
	readonly logger: Logger;
}): Promise<Announcer> => {
	const {transmission, catalogue, carousel, titles, clock, logger} = options;
	const versions = createVersionBook({clock});
	const stop = new AbortController();
	const announce = (): Promise<void> =>
		carousel.replaceSignalling(signallingObjects(signallingFactsOf(transmission, titles.titles), versions));
	let isDirty = false;
	const subscription = catalogue.onChange((_change, entry) => {
		isDirty ||= TitleKeeper.concerns(entry);
	});
	await titles.refresh();
	await announce();
	const loop = runLoop({
		name: 'announcement',
		wake: new Wake(),
		intervalMs: refreshIntervalMs,
		signal: stop.signal,
		logger,
		step: async () => {
			if (isDirty) {
				isDirty = false;
				if (await titles.refresh()) {
					await announce();
				}
			}
		},
	});
	return {
		announce,
		[Symbol.asyncDispose]: async () => {
			subscription[Symbol.dispose]();
			stop.abort();
			await loop;
		},
	};
};

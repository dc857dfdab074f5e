import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {FileCarousel} from '#headend/carousel/file-carousel.ts';
import type {IdentifierRegistry} from '#headend/carousel/identifier-registry.ts';
import {LiveCarousel} from '#headend/carousel/live-carousel.ts';
import {LiveRate} from '#headend/carousel/live-rate.ts';
import {SignallingCarousel, type SignallingSource} from '#headend/carousel/signalling-carousel.ts';
import {TransportSession} from '#headend/carousel/transport-session.ts';
import {type OpenSender, Uplink} from '#headend/carousel/uplink.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';
import type {HeadendConfig} from '#headend/config-schema.ts';
import {runLoop} from '#headend/runner/run-loop.ts';
import {Wake} from '#headend/runner/wake.ts';
import {CarouselPlanner, type TransmissionRate} from '#headend/schedule/carousel-planner.ts';
import type {CarouselPlan} from '#headend/schedule/plan-carousel.ts';

/** Signalling and live describe themselves anew often; a receiver that slept must not believe an old instance. */
const signallingFdtLifeMs = 300_000;
const liveFdtLifeMs = 60_000;
/** Expires must exceed two cycles, or a set-top forgets what it waits for between two transmissions. */
const carouselFdtLifeCycles = 2;
const carouselFdtLifeMarginMs = 300_000;
/** Changes within this are planned as one. */
const replanDelayMs = 150;

export type CarouselOptions = {
	readonly config: HeadendConfig;
	readonly transmission: TransmissionRate;
	readonly catalogue: Catalogue;
	readonly registry: IdentifierRegistry;
	readonly openSender: OpenSender;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly hold: (filePath: string) => Disposable;
	/** A referenced file is not what was hashed; whoever scanned it looks again. */
	readonly onChanged: (entry: CatalogueEntry) => void;
};

/** Everything that leaves by the uplink: signalling, live, and the planned carousel, over one paced sender. */
export class Carousel implements AsyncDisposable {
	readonly uplink: Uplink;
	readonly planner: CarouselPlanner;
	readonly liveRate: LiveRate;
	readonly #options: CarouselOptions;
	readonly #files: FileCarousel;
	readonly #live: LiveCarousel;
	readonly #signalling: SignallingCarousel;
	readonly #carouselSession: TransportSession;
	readonly #replan = new Wake();
	readonly #stop = new AbortController();
	readonly #stack = new AsyncDisposableStack();
	#isDirty = true;

	constructor(options: CarouselOptions) {
		const {config, transmission, catalogue, clock, logger, hold} = options;
		const {uplink, carousel, ingest} = config;
		this.#options = options;
		this.uplink = new Uplink({openSender: options.openSender, logger});
		this.planner = new CarouselPlanner(config, transmission);
		this.liveRate = new LiveRate({clock});
		this.#carouselSession = this.#openSession(uplink.carouselTsi, {
			fdtLifeMs: carouselFdtLifeCycles * carousel.cycleMs + carouselFdtLifeMarginMs,
			remembersToi: true,
		});
		const common = {clock, logger, gzip: uplink.gzip, hold, entryOf: (path: string) => catalogue.get(path)};
		this.#files = new FileCarousel({
			...common,
			session: this.#carouselSession,
			transmission,
			minimumGapMs: carousel.minimumGapMs,
			onChanged: options.onChanged,
		});
		this.#live = new LiveCarousel({
			...common,
			...ingest,
			session: this.#openSession(uplink.liveTsi, {fdtLifeMs: liveFdtLifeMs, remembersToi: false}),
			onSent: (sent) => this.liveRate.note(sent.wireBytes),
		});
		this.#signalling = new SignallingCarousel({
			clock,
			logger,
			gzip: uplink.gzip,
			session: this.#openSession(uplink.announcement.tsi, {fdtLifeMs: signallingFdtLifeMs, remembersToi: true}),
			intervalMs: carousel.signallingIntervalMs,
		});
	}

	/** Plans before anything is sent, and says what does not fit. */
	start(): void {
		const {signal} = this.#stop;
		const {logger, catalogue, config} = this.#options;
		this.#stack.use(this.uplink);
		this.#stack.use(catalogue.onChange((change, entry) => this.#take(change.kind, entry)));
		this.#planNow();
		this.#resumeLive();
		const repeat = runLoop({
			name: 'fdt',
			wake: new Wake(),
			intervalMs: config.carousel.signallingIntervalMs,
			signal,
			logger,
			step: () => {
				this.#carouselSession.repeat();
				this.#live.repeatFdt();
			},
		});
		const plan = runLoop({
			name: 'plan',
			wake: this.#replan,
			intervalMs: 1000,
			signal,
			logger,
			step: () => this.#planWhenDirty(),
		});
		const loops = [repeat, plan, this.#files.run({signal}), this.#live.run({signal}), this.#signalling.run({signal})];
		this.#stack.defer(async () => {
			this.#stop.abort();
			await Promise.all(loops);
		});
	}

	/** Follows the transmission's rate: paces at it and plans anew. What is in flight goes on. */
	retune(): void {
		this.uplink.setRate(this.#options.transmission.rateBps);
		this.#isDirty = true;
		this.#replan.wake();
	}

	get signallingBps(): number {
		return this.#signalling.rateBps;
	}

	replaceSignalling(sources: readonly SignallingSource[]): Promise<void> {
		return this.#signalling.replace(sources);
	}

	get signallingObjects() {
		return this.#signalling.objects;
	}

	state(limit: number) {
		return {...this.#files.state(limit), liveGivenUp: this.#live.givenUp};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#stack.disposeAsync();
	}

	#openSession(tsi: number, life: {readonly fdtLifeMs: number; readonly remembersToi: boolean}): TransportSession {
		const {config, registry, clock} = this.#options;
		const {announcement, fec, symbolBytes, portOffset} = config.uplink;
		const {group, port} = tsi === announcement.tsi ? announcement : config.uplink;
		return new TransportSession({
			...life,
			uplink: this.uplink,
			registry,
			clock,
			tsi,
			destination: {group, port: port + portOffset},
			fec: {...fec, symbolBytes},
			md5: config.uplink.fdtMd5,
			gzip: config.uplink.gzip,
		});
	}

	#take(kind: 'put' | 'delete', entry: CatalogueEntry): void {
		if (entry.priority === 'live') {
			if (kind === 'put') {
				this.#live.put(entry);
			} else {
				this.#live.remove(entry.path);
			}
			return;
		}
		if (kind === 'delete') {
			this.#files.forget(entry.path);
		}
		this.#isDirty = true;
		this.#replan.wake();
	}

	/** Manifests and initialisation segments of an earlier run go on air again; nobody may send them anew. */
	#resumeLive(): void {
		for (const entry of this.#options.catalogue.entries()) {
			if (entry.priority === 'live' && entry.form !== undefined) {
				this.#live.put(entry);
			}
		}
	}

	async #planWhenDirty(): Promise<void> {
		this.planner.reserve({liveBps: this.liveRate.bps(), signallingBps: this.#signalling.rateBps});
		if (this.#isDirty || this.planner.isReserveStale) {
			this.#planNow();
			// Planning again for every one of ten thousand uploads would leave no time for the uploads.
			await sleep(Math.max(replanDelayMs, this.planner.lastPlanMs * 4), {signal: this.#stop.signal});
		}
	}

	#planNow(): void {
		this.#isDirty = false;
		const before = new Set(this.planner.plan.doesNotFit.map(({path}) => path));
		const plan = this.planner.update(this.#options.catalogue.entries());
		const news = plan.doesNotFit.filter(({path}) => !before.has(path));
		if (news.length > 0) {
			this.#options.logger.warn(misfitSummary(plan, this.#options));
		}
		for (const {path, sizeBytes, reason} of news.slice(0, misfitsLoggedMax)) {
			this.#options.logger.warn({path, sizeBytes}, `does not fit into the carousel: ${path}: ${reason}`);
		}
		this.#files.applyPlan(plan);
	}
}

/** One sentence for who reads the log of a headend that starts: how much is left out, and what would take all of it in. */
const misfitSummary = (plan: CarouselPlan, {transmission, config}: CarouselOptions): string => {
	const planned = plan.lanes.reduce((total, {objects}) => total + objects.length, 0);
	const plannedBytes = plan.lanes.reduce((total, {wireBytes}) => total + wireBytes, 0);
	const leftBytes = plan.doesNotFit.reduce((total, {wireBytes}) => total + wireBytes, 0);
	const {cycleMs} = config.carousel;
	const reservedBps = transmission.rateBps - plan.availableBps;
	const neededBps = ((plannedBytes + leftBytes) * 8000) / cycleMs + reservedBps;
	return (
		`${plan.doesNotFit.length} of ${planned + plan.doesNotFit.length} objects do not fit into a cycle of ` +
		`${Math.round(cycleMs / 1000)} s at ${(transmission.rateBps / 1e6).toFixed(1)} Mbit/s and are not sent; ` +
		`all of them need ${(neededBps / 1e6).toFixed(1)} Mbit/s`
	);
};

/** Of one plan; the status tells all of them. */
const misfitsLoggedMax = 20;

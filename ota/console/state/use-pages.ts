import {type ReadonlySignal, useSignal} from '@preact/signals';
import {useEffect, useRef} from 'preact/hooks';
import {type LiveKind, onLiveChange} from './live.ts';
import {type Query, RequestError, request} from './request.ts';

type Answered<Item> = {
	readonly items: readonly Item[];
	readonly nextCursor?: string | undefined;
	readonly total?: number | undefined;
};
type LoadedPage<Item> = {readonly cursor: string | undefined; readonly items: readonly Item[]};

export type Pages<Item> = {
	readonly pages: ReadonlySignal<readonly LoadedPage<Item>[]>;
	/** All that was loaded so far, in order. */
	readonly items: readonly Item[];
	readonly total: ReadonlySignal<number | undefined>;
	readonly hasMore: boolean;
	/** Nothing has been answered yet. */
	readonly isFirst: ReadonlySignal<boolean>;
	readonly error: ReadonlySignal<RequestError | undefined>;
	readonly more: () => void;
	/** What is in sight: only these pages are asked again when something changes. */
	readonly setVisible: (from: number, to: number) => void;
	readonly reload: () => void;
};

export type PagesOptions = {
	readonly query?: Query;
	readonly limit?: number;
	readonly live?: readonly LiveKind[];
	readonly refreshMsMin?: number;
};

type Store<Item> = {
	readonly more: () => Promise<void>;
	readonly refresh: () => Promise<void>;
	readonly stop: () => void;
	visible: readonly [number, number];
	readonly reset: () => void;
	readonly _?: Item;
};

const refreshMsDefault = 2000;

/** A list by keyset pages: each asked for when it is scrolled to, however many there are. */
export const usePages = <Item>(path: string, options: PagesOptions = {}): Pages<Item> => {
	const {query = {}, limit = 100, live = [], refreshMsMin = refreshMsDefault} = options;
	const pages = useSignal<readonly LoadedPage<Item>[]>([]);
	const next = useSignal<string | undefined>(undefined);
	const total = useSignal<number | undefined>(undefined);
	const isFirst = useSignal(true);
	const error = useSignal<RequestError | undefined>(undefined);
	const store = useRef<Store<Item> | undefined>(undefined);
	const key = JSON.stringify([path, query, limit]);

	useEffect(() => {
		const controller = new AbortController();
		const {signal} = controller;
		const take = oneAtATime();
		const ask = async (cursor: string | undefined, use: (answer: Answered<Item>) => void): Promise<void> => {
			try {
				const {body} = await request<Answered<Item>>('GET', path, {query: {...query, limit, cursor}, signal});
				use(body);
				error.value = undefined;
				isFirst.value = false;
			} catch (caught) {
				if (!signal.aborted && caught instanceof RequestError) {
					error.value = caught;
					isFirst.value = false;
				}
			}
		};
		const askFirst = (): Promise<void> =>
			ask(undefined, (answer) => {
				pages.value = [{cursor: undefined, items: answer.items}];
				next.value = answer.nextCursor;
				total.value = answer.total;
			});
		const askMore = async (): Promise<void> => {
			const cursor = next.value;
			if (cursor !== undefined) {
				await ask(cursor, (answer) => {
					pages.value = [...pages.value, {cursor, items: answer.items}];
					next.value = answer.nextCursor;
				});
			}
		};
		const first = (): Promise<void> => take('first', askFirst);
		const askAgain = (index: number): Promise<void> => {
			const page = pages.value[index];
			return page === undefined
				? Promise.resolve()
				: ask(page.cursor, (answer) => {
						pages.value = pages.value.with(index, {cursor: page.cursor, items: answer.items});
						total.value = answer.total ?? total.value;
						if (index === pages.value.length - 1) {
							next.value = answer.nextCursor;
						}
					});
		};
		const own: Store<Item> = {
			more: () => take('more', askMore),
			refresh: async () => {
				const [from, to] = own.visible;
				for (let index = Math.floor(from / limit); index <= Math.floor(to / limit); index += 1) {
					await take('again', () => askAgain(index));
				}
			},
			stop: () => controller.abort(),
			reset: () => void first(),
			visible: [0, 0],
		};
		store.current = own;
		void first();
		const stopLive = refreshOnChange(live, refreshMsMin, () => void own.refresh());
		return () => {
			controller.abort();
			stopLive();
		};
	}, [key]);

	return {
		pages,
		items: pages.value.flatMap((page) => page.items),
		total,
		hasMore: next.value !== undefined,
		isFirst,
		error,
		more: () => void store.current?.more(),
		setVisible: (from, to) => {
			if (store.current !== undefined) {
				store.current.visible = [from, to];
			}
		},
		reload: () => store.current?.reset(),
	};
};

/** What a list asks for: its beginning, one page more, or a page again that it has. */
type Wish = 'first' | 'more' | 'again';

/**
 * One at a time; what is wished for meanwhile is left, except for what nobody would wish for a second time: a list that is
 * to begin anew does so next, and what was scrolled to while a page is asked for again comes after that.
 */
const oneAtATime = (): ((wish: Wish, work: () => Promise<void>) => Promise<void>) => {
	let underWay: Wish | undefined;
	let next: (() => Promise<void>) | undefined;
	const take = async (wish: Wish, work: () => Promise<void>): Promise<void> => {
		if (underWay !== undefined) {
			if (wish === 'first') {
				next = () => take(wish, work);
			} else if (wish === 'more' && underWay === 'again') {
				next ??= () => take(wish, work);
			}
			return;
		}
		underWay = wish;
		await work();
		underWay = undefined;
		const due = next;
		next = undefined;
		await due?.();
	};
	return take;
};

/** At most once per interval, and once more at its end. */
const refreshOnChange = (live: readonly LiveKind[], everyMs: number, refresh: () => void): (() => void) => {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const stop = onLiveChange((change) => {
		if ((change === undefined || live.includes(change.kind)) && timer === undefined) {
			timer = setTimeout(() => {
				timer = undefined;
				refresh();
			}, everyMs);
		}
	});
	return () => {
		stop();
		clearTimeout(timer);
	};
};

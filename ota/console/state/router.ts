import {computed, signal} from '@preact/signals';

const address = signal(new URL(location.href));

export const path = computed(() => address.value.pathname);
export const search = computed(() => address.value.searchParams);

addEventListener('popstate', () => {
	address.value = new URL(location.href);
});

export const go = (to: string, {replace = false}: {readonly replace?: boolean} = {}): void => {
	const url = new URL(to, location.href);
	if (url.href === address.value.href) {
		return;
	}
	const isOtherPage = url.pathname !== address.value.pathname;
	history[replace ? 'replaceState' : 'pushState'](null, '', url);
	address.value = url;
	if (isOtherPage) {
		document.querySelector('main')?.scrollTo(0, 0);
	}
};

/** Changes parts of the query and keeps the rest, so that an address can be sent to a colleague. */
export const setSearch = (changes: Readonly<Record<string, string | undefined>>): void => {
	const url = new URL(address.value);
	for (const [name, value] of Object.entries(changes)) {
		if (value === undefined || value === '') {
			url.searchParams.delete(name);
		} else {
			url.searchParams.set(name, value);
		}
	}
	go(url.href, {replace: true});
};

/** Parts of the path after the first: `/boxes/a/terminal` gives `['a', 'terminal']`. */
export const pathParts = computed(() =>
	path.value
		.split('/')
		.filter((part) => part !== '')
		.map((part) => decodeURIComponent(part)),
);

export const boxPath = (id: string, tab = ''): string =>
	`/boxes/${encodeURIComponent(id)}${tab === '' ? '' : `/${tab}`}`;

/** The boxes that a filter finds. */
export const boxesPath = (filter: string): string => `/boxes?${new URLSearchParams({filter})}`;

import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Site} from '#ota/contract/box-api.ts';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {request} from '../state/request.ts';
import {useResource} from '../state/use-resource.ts';

type SiteDialogProps = {readonly site: Site | undefined; readonly onDone: () => void; readonly onClose: () => void};
type Window = NonNullable<Site['windows']>[number];

const everyDay: Window['days'] = [1, 2, 3, 4, 5, 6, 7];
const pathOf = (id: string): string => `/sites/${encodeURIComponent(id)}`;

/** One window a line: `02:00-05:00`, or with days of the week before it, Monday is 1: `1 3 5 02:00-05:00`. */
const writeWindows = (windows: Site['windows']): string =>
	(windows ?? []).map(({days, from, to}) => `${days.length === 7 ? '' : `${days.join(' ')} `}${from}-${to}`).join(', ');

const readWindows = (text: string): readonly Window[] | null | undefined => {
	const windows: Window[] = [];
	for (const part of text.split(',').filter((one) => one.trim() !== '')) {
		const found = /^\s*(?<days>(?:[1-7]\s+)*)(?<from>\d\d:\d\d)\s*[-–]\s*(?<to>\d\d:\d\d)\s*$/u.exec(part)?.groups;
		if (found === undefined) {
			return undefined;
		}
		const days = (found['days'] ?? '').split(/\s+/u).filter(Boolean).map(Number);
		windows.push({
			days: days.length === 0 ? everyDay : days,
			from: found['from'] ?? '',
			to: found['to'] ?? '',
		} as Window);
	}
	return windows.length === 0 ? null : windows;
};

export const SiteDialog = ({site, onDone, onClose}: SiteDialogProps): JSX.Element => {
	// What is there when the dialog opens is what is changed: somebody else's change in between is refused.
	const read = useResource<Site>(pathOf(site?.id ?? 'new'));
	const id = useSignal(site?.id ?? '');
	const name = useSignal(site?.name ?? '');
	const latitude = useSignal(site === undefined ? '' : String(site.latitude));
	const longitude = useSignal(site === undefined ? '' : String(site.longitude));
	const timeZone = useSignal(site?.timeZone ?? 'Etc/UTC');
	const windows = useSignal(writeWindows(site?.windows ?? null));
	const parsed = readWindows(windows.value);
	const submit = async (): Promise<void> => {
		await request('PUT', pathOf(id.value), {
			// If-Match "0": a site that is there already is not overwritten.
			ifMatch: site === undefined ? '"0"' : read.etag.value,
			body: {
				name: name.value,
				latitude: Number(latitude.value),
				longitude: Number(longitude.value),
				timeZone: timeZone.value,
				windows: parsed,
			},
		});
		onDone();
	};
	return (
		<FormDialog
			title={site === undefined ? 'New site' : `Change ${site.name}`}
			verb={site === undefined ? 'Create' : 'Save'}
			canSubmit={parsed !== undefined && (site === undefined || read.etag.value !== undefined)}
			onClose={onClose}
			onSubmit={submit}
		>
			{site === undefined && (
				<TextField label="Id" value={id} required={true} hint="Lower case, digits and -" autoFocus={true} />
			)}
			<TextField label="Name" value={name} required={true} />
			<TextField label="Latitude" value={latitude} type="number" min={-90} max={90} step="any" required={true} />
			<TextField label="Longitude" value={longitude} type="number" min={-180} max={180} step="any" required={true} />
			<TextField label="Time zone" value={timeZone} required={true} />
			<TextField
				label="Maintenance windows"
				value={windows}
				placeholder="at any time"
				wrong={parsed === undefined ? 'Such as 02:00-05:00, or 6 7 01:00-06:00 for Saturday and Sunday' : undefined}
				hint="In its own time, separated by commas; days before a window, Monday is 1"
			/>
		</FormDialog>
	);
};

type RemoveProps = {readonly site: Site; readonly onDone: () => void; readonly onClose: () => void};

export const RemoveDialog = ({site, onDone, onClose}: RemoveProps): JSX.Element => {
	const typed = useSignal('');
	return (
		<FormDialog
			title={`Remove ${site.name}`}
			verb="Remove"
			look="danger"
			done={`${site.name} is removed`}
			canSubmit={typed.value === site.id}
			onClose={onClose}
			onSubmit={async () => {
				await request('DELETE', pathOf(site.id));
				onDone();
			}}
		>
			<p>Its boxes stay, and stand at no site then.</p>
			<TextField label={`Type ${site.id} to be sure`} value={typed} autoFocus={true} />
		</FormDialog>
	);
};

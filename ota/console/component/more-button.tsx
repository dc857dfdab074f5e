import type {JSX} from 'preact';
import type {Pages} from '../state/use-pages.ts';
import {Button} from './button.tsx';

export const MoreButton = <Item,>({pages}: {readonly pages: Pages<Item>}): JSX.Element | null =>
	pages.hasMore ? (
		<p class="more">
			<Button onPress={pages.more}>Show more</Button>
		</p>
	) : null;

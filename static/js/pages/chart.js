/* Pages with drawn charts: each is read by arrows and pointer. */
import { charts } from '../lib/charts.js';

charts();

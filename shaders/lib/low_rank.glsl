// The second half of a low-rank pair: this lane's share of row `channel` of a [C, rank] matrix (`rank` in weight groups)
// times the low-rank vector at scratch4[low_at]; the kLanes lanes of a row share its groups.
float up(uint weights_at, uint rank, uint low_at, uint channel, uint lane) {
    float sum = 0.0;
    for (uint g = lane; g < rank; g += kLanes) {
        vec4 low, high;
        load_weights(weights_at + channel * row_units(rank), rank, g, low, high);
        sum += dot(low, scratch4[low_at + 2u * g]) + dot(high, scratch4[low_at + 2u * g + 1u]);
    }
    return sum;
}
